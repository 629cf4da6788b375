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

/*
 * The path of share's file `name`: the first readable one of $PENSTOCK_SHARE, ../../share/penstock
 * beside this program's folder (libexec/penstock/), ../share (bin/ of a build tree) and the place
 * it was built for, whose name it is if there is none. Never freed.
 */
const char *load_share(const char *name);

#endif
