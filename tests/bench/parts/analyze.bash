# judging a message's text, one core
say "judging a message"
jq -r '.data.text // empty | gsub("\n"; " ")' corpus | head -n 20000 > texts
"$tools/analyze_text" "$top/share" < texts | sed 's/^/analyze, one core: /'
