/*
 * why: every reason a line is refused for. Callers may compare pointers or text; penstock-line(7) lists
 * them all, and scripts/check-man compares the two.
 */
#ifndef LINE_WHY_H
#define LINE_WHY_H

/* the line as a whole */
#define WHY_EMPTY		"the line is empty"
#define WHY_TOO_LONG		"the line is longer than the limit"
#define WHY_NO_LF		"no line feed at the end"
#define WHY_LF			"line feed inside the line"
#define WHY_BOM			"byte order mark"
#define WHY_NO_OBJECT		"not a JSON object"
#define WHY_BEHIND		"something follows the JSON value"

/* JSON */
#define WHY_VALUE		"expected a JSON value"
#define WHY_NAME		"expected a name in double quotes"
#define WHY_COLON		"expected ':'"
#define WHY_OBJECT_NEXT		"expected ',' or '}'"
#define WHY_ARRAY_NEXT		"expected ',' or ']'"
#define WHY_NUMBER		"malformed number"
#define WHY_ENDS_STRING		"the line ends inside a string"
#define WHY_ENDS		"the line ends inside a value"
#define WHY_CONTROL		"control character in a string"
#define WHY_ESCAPE		"unknown escape in a string"
#define WHY_SURROGATE		"lone surrogate"
#define WHY_UTF8		"invalid UTF-8"
#define WHY_DEPTH		"nested deeper than 128"
#define WHY_REPEATED		"this name is in the object twice"
#define WHY_NAMES		"more than 4096 names in an object"

/* the envelope */
#define WHY_ATTR_NAME		"attribute names are of a-z and 0-9"
#define WHY_ATTR_VALUE		"an attribute is a string, a boolean or a 32-bit integer"
#define WHY_ATTR_STRING		"this attribute must be a string"
#define WHY_ATTR_EMPTY		"this attribute must not be empty"
#define WHY_ATTR_CHAR		"control character or noncharacter in an attribute"
#define WHY_NO_SPECVERSION	"specversion is missing"
#define WHY_NO_ID		"id is missing"
#define WHY_NO_SOURCE		"source is missing"
#define WHY_NO_TYPE		"type is missing"
#define WHY_SPECVERSION		"specversion must be \"1.0\""
#define WHY_TIMESTAMP		"not an RFC 3339 time"
#define WHY_TENANT		"tenant must match [a-z0-9][a-z0-9._-]{0,63}"
#define WHY_TWO_DATA		"both data and data_base64"
#define WHY_BASE64		"data_base64 is not Base64"

/* the data of a known type, types_check */
#define WHY_NO_FIELD		"a data field that this type must have is missing"
#define WHY_FIELD_TYPE		"a data field has the wrong JSON type"

/* the writer */
#define WHY_DATA_TWICE		"data written twice"
#define WHY_WRITER_PLACE	"an attribute inside an object, or a value outside of one"
#define WHY_WRITER_DEPTH	"nested too deep to be written"
#define WHY_MEMORY		"no memory"

#endif
