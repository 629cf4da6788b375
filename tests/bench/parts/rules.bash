# what each kind of condition in a rule costs, beside what checking the line costs
say "rules"
echo "one core, in memory; ns a line, but where it says a byte"
"$tools/rules" < corpus | awk '{ printf "%-30s %10s\n", $1, $2 }'
