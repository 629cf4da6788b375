/*
 * account: a bot on a platform, as its file says: DIR/TENANT/NAME.conf, lines "word = value" as in a program's configuration file.
 *
 *   platform = discord          # required: discord, twitch, irc
 *   token-file = bot.token      # paths are relative to the file's folder; a secret must not be readable for group or others
 *
 * Several programs read the same files (gatewayd, deliver): each asks for the words it knows; account_known lets a program name the
 * words that nobody knows. A file with an error is refused whole, with file and line. Names of tenants and accounts are 1 to 64 of
 * a-z 0-9 . _ - and begin with a letter or digit; other files and folders are passed over. At most 64 KiB and 256 lines with a word in a file.
 *
 * A word that ends in "-file", and `ca` and `subscriptions`, names another file; it belongs to the account's text (account_same).
 */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct account;			/* immutable; counted */

struct accounts { struct account **v; size_t n; };	/* sorted by tenant, then name */

/* Reads every account below dir. A bad file is named and left out: *bad counts them. -1: dir cannot be read, with a message. */
int accounts_read(struct accounts *to, const char *dir, unsigned *bad);
/* One file; NULL with a message. tenant and name are checked, too. */
struct account *account_read(const char *path, const char *tenant, const char *name);
void accounts_release(struct accounts *a);

struct account *account_ref(struct account *a);
void account_free(struct account *a);		/* the last one frees */

const char *account_tenant(const struct account *a);
const char *account_name(const struct account *a);
const char *account_platform(const struct account *a);
/* "/discord/TENANT/NAME": the `source` of what it brings. With the tenant: two bots of one name may hear the same message. */
const char *account_source(const struct account *a);
const char *account_file(const struct account *a);
bool account_same(const struct account *a, const struct account *b);	/* the same words, and the same text of the files they name, when read */
/* What account_same compares, for who keeps it until a later process: a hash of secrets among others, so only where nobody else can read it. */
#define ACCOUNT_PRINT 16
void account_print(const struct account *a, unsigned char to[ACCOUNT_PRINT]);

/* The value of a word (the last one, if it stands more than once), or otherwise. The next three refuse a word that does. */
const char *account_get(const struct account *a, const char *word, const char *otherwise);
/* 0; -1 with a message that names file, line and what would be right. Absent: *to stays. */
int account_u64(const struct account *a, const char *word, uint64_t min, uint64_t max, uint64_t *to);
int account_time(const struct account *a, const char *word, int64_t min, int64_t max, int64_t *to);
int account_bool(const struct account *a, const char *word, bool *to);
/* The path that a word names, made absolute; NULL: absent, or (with a message) no memory. Freed by the caller. */
char *account_path(const struct account *a, const char *word);
/* The text of the file that a word names, without a line end: at most 64 KiB, mode 0600 or stricter. -1 with a message, also when absent. */
int account_secret(const struct account *a, const char *word, struct buf *to);
/* Every value of a word that stands more than once, or of a list separated by blanks: calls fn for each; stops when fn returns
 * non-zero and returns that. */
int account_each(const struct account *a, const char *word, int (*fn)(void *arg, const char *value), void *arg);
/* Says what is wrong with a word's value: file, line, text. Returns -1. */
int account_bad(const struct account *a, const char *word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Warns of each word that is not in known (NULL at the end). */
void account_known(const struct account *a, const char *const *known);

#endif
