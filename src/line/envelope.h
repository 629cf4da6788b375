/*
 * envelope: is this line a CloudEvent that may enter? CloudEvents 1.0.2 JSON format, section by section
 * in penstock-line(7). Pure.
 *
 * envelope_check = scan_strict plus: the four required attributes are non-empty strings, specversion is "1.0";
 * names match [a-z0-9]+ (besides data, data_base64); attribute values are string, boolean, 32-bit integer
 * or null; strings hold no U+0000-001F, U+007F-009F, noncharacters; time and notbefore are RFC 3339; not both data
 * members; data_base64 is a Base64 string; traceparent that is malformed is accepted (W3C: ignored by whoever reads it);
 * tenant matches [a-z0-9][a-z0-9._-]{0,63} (it becomes a file name); at most `max` bytes (err.at = max).
 * The attributes of enum line_attr are strings that are not empty; traceparent and tracestate may be anything an
 * extension may be. An attribute that is null counts as absent. `data` of a type in types.def is not checked here (see types.h).
 * *err holds the first fault: why is one of line/why.h, at the offset of the member's value (of its name where the name is bad;
 * the line's length where something is missing).
 */
#ifndef LINE_ENVELOPE_H
#define LINE_ENVELOPE_H

#include "line/scan.h"

#define TENANT_MAX 64

int envelope_check(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err);

/* The tenant's name, NUL-terminated, "default" when absent. */
void envelope_tenant(const struct envelope *e, char out[TENANT_MAX + 1]);

/* Is the text a tenant's name, [a-z0-9][a-z0-9._-]{0,63}? */
bool envelope_tenant_ok(const char *p, size_t n);

/* Is the raw string a time as the envelope has it, RFC 3339? */
bool envelope_time_ok(struct span raw);

#endif
