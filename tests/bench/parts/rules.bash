# what each kind of condition costs, beside reading the line; a jq condition, and a hostile text
say "rules"
row "a condition of a rule" "ns a line" "of reading" ""
"$tools/rules" < corpus > rules.cost
read -r _ reading < rules.cost
while read -r kind ns; do
	case $kind in
	hostile_*) row "$kind, ns a byte" "$ns" "" "" ;;
	*) row "$kind" "$ns" "$(ratio "$ns" "$reading")" "" ;;
	esac
done < rules.cost
if command -v jq >/dev/null; then
	printf "jq '.type == \"chat.message\"' -> chat\n" > rules.jq
	head -n $((lines / 10)) corpus > corpus.10
	begin=$(now)
	"$BIN/route" -r rules.jq -D chat < corpus.10 > /dev/null
	ns=$(awk -v r="$(rate $((lines / 10)) "$begin")" 'BEGIN { printf "%.0f", 1e9 / r }')
	row "jq '.type == ...', reading included" "$ns" "$(ratio "$ns" "$reading")" ""
fi
echo "reading: envelope_check, the line checked in full. Conditions with data.* walk into the payload."
