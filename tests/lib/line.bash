# Lines for tests.
#
#   event ID TYPE [DATA [ATTRIBUTES]]   one line; DATA is JSON ({}), ATTRIBUTES are JSON members: '"tenant":"t1"'
#   chat ID TEXT [USER [ROOM [TENANT]]] a chat.message of user USER (ann) in ROOM (lobby)
#   emotion ID TOP P [USER [ROOM]]      an analysis.emotion of message ID: TOP with probability P
#   events FROM TO [ROOMS [TENANTS]]    chat.message e-FROM ... e-TO over so many rooms and tenants; one process, for big inputs
#   json_string TEXT                    TEXT as a JSON string
#   ids [FILE]                          the id of each line

json_string() {
	local s=$1
	s=${s//\\/\\\\}
	s=${s//\"/\\\"}
	s=${s//$'\n'/\\n}
	s=${s//$'\t'/\\t}
	s=${s//$'\r'/\\r}
	printf '"%s"' "$s"
}

event() {
	printf '{"specversion":"1.0","id":%s,"source":"/test","type":%s%s,"data":%s}\n' \
		"$(json_string "$1")" "$(json_string "$2")" "${4:+,$4}" "${3:-{\}}"
}

chat() {
	local room=${4:-lobby} user=${3:-ann}
	event "$1" chat.message \
		"{\"channel\":{\"id\":\"$room\",\"name\":\"$room\"},\"user\":{\"id\":\"u-$user\",\"name\":\"$user\"},\"text\":$(json_string "$2")}" \
		"\"tenant\":\"${5:-default}\",\"partitionkey\":\"browser:$room\""
}

emotion() {
	local room=${5:-lobby} user=${4:-ann}
	event "$1.analyze" analysis.emotion \
		"{\"channel\":{\"id\":\"$room\",\"name\":\"$room\"},\"user\":{\"id\":\"u-$user\",\"name\":\"$user\"},\"message_id\":$(json_string "$1"),\"top\":\"$2\",\"scores\":{\"$2\":$3}}" \
		"\"partitionkey\":\"browser:$room\",\"causationid\":$(json_string "$1")"
}

events() {
	awk -v from="$1" -v to="$2" -v rooms="${3:-10}" -v tenants="${4:-1}" 'BEGIN {
		for (i = from; i <= to; i++) {
			room = "r" i % rooms
			printf "{\"specversion\":\"1.0\",\"id\":\"e-%d\",\"source\":\"/test\",\"type\":\"chat.message\",\"tenant\":\"t%d\",\"partitionkey\":\"test:%s\",\"data\":{\"channel\":{\"id\":\"%s\",\"name\":\"%s\"},\"user\":{\"id\":\"u%d\",\"name\":\"User %d\"},\"text\":\"message number %d\"}}\n",
				i, i % tenants, room, room, room, i % 7, i % 7, i
		}
	}'
}

ids() { sed -E 's/^.*"id":"([^"]*)".*"source".*$/\1/' "$@"; }
