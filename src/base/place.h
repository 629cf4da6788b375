/*
 * place: where this program's own files are, installed or in a build tree.
 *
 * A message and exit 1 when /proc/self/exe cannot be read; results are never freed by the caller and stay valid.
 */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

/* The folder of this executable, absolute, without a slash at the end. */
const char *place_folder(void);

/* The file or folder rel of share/: in $PENSTOCK_SHARE if that is set, else where it is installed with this program, else the build tree's,
 * else the place compiled in; NULL when it is nowhere. */
char *place_share(const char *rel);

#endif
