#!/bin/sh
# Answers "!ping" with "pong". Mode line: one line out for each line in, an empty one when there is nothing to say.
#   stage -i ipc://run/to-ping -o ipc://run/in -a line -s ping -- scripts/examples/ping.sh
attr() { case $line in *"\"$1\":\""*) v=${line#*"\"$1\":\""} && printf '"%s":"%s",' "$1" "${v%%\"*}" ;; esac; }
while IFS= read -r line; do
	case $line in *'"type":"chat.message"'*'"text":"!ping'*) ;; *) echo && continue ;; esac
	id=${line#*'"id":"'} channel=${line#*'"channel":{'}
	printf '{"specversion":"1.0","id":"%s.ping",%s%s%s"type":"message.send","data":{"channel":{%s},"text":"pong"}}\n' \
		"${id%%\"*}" "$(attr source)" "$(attr tenant)" "$(attr partitionkey)" "${channel%%\}*}"
done
