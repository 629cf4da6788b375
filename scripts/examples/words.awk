#!/usr/bin/awk -f
# Counts the words of each message. Mode eof: one run of awk for each batch, so that it may buffer as it likes.
#   stage -i ipc://run/to-words -o ipc://run/in -a eof -s words -- awk -f scripts/examples/words.awk
function text(name) { return match($0, "\"" name "\":\"([^\"\\\\]|\\\\.)*\"") ? substr($0, RSTART, RLENGTH) : "" }
function value(name) { v = text(name); return substr(v, length(name) + 5, length(v) - length(name) - 5) }
function attr(name) { v = text(name); return v == "" ? "" : v "," }
/"type":"chat.message"/ {
	printf "{\"specversion\":\"1.0\",\"id\":\"%s.words\",%s%s%s", value("id"), attr("source"), attr("tenant"), attr("partitionkey")
	printf "\"type\":\"x.words\",\"data\":{\"words\":%d}}\n", split(value("text"), word, " ")
}
