#!/bin/sh
# Answers "!ping" with "pong". Mode line: one line out for each line in, an empty one when there is nothing to say.
#   stage -i ipc://run/to-ping -o ipc://run/in -a line -s ping -- scripts/examples/ping.sh
# stage completes an event that says type and data only: id, source, tenant and conversation are those of the line that it answers.
while IFS= read -r line; do
	case $line in
	*'"type":"chat.message"'*'"text":"!ping'*)
		channel=${line#*'"channel":{'}
		printf '{"type":"message.send","data":{"channel":{%s},"text":"pong"}}\n' "${channel%%\}*}" ;;
	*) echo ;;
	esac
done
