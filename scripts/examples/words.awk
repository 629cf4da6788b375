#!/usr/bin/awk -f
# Counts the words of each message. Mode eof: one run of awk for each batch, so that it may buffer as it likes.
#   stage -i ipc://run/to-words -o ipc://run/in -a eof -s words -- awk -f scripts/examples/words.awk
# By causationid stage knows which line an event comes from, and completes it.
function text(name) { return match($0, "\"" name "\":\"([^\"\\\\]|\\\\.)*\"") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : "" }
/"type":"chat.message"/ {
	printf "{\"type\":\"x.words\",\"causationid\":\"%s\",\"data\":{\"words\":%d}}\n", text("id"), split(text("text"), word, " ")
}
