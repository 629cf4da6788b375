/*
 * load: the model file and the table of emotes from disk.
 */
#ifndef ANALYZE_LOAD_H
#define ANALYZE_LOAD_H

#include "analyze/emote.h"
#include "analyze/model.h"

/*
 * 0, or -1 with a message that names the file, the line where there is one, and what to do; then
 * *to is as it was.
 */
int load_model(struct model *to, const char *path);
int load_emotes(struct emotes *to, const char *path);

#endif
