# Completion, driven as a person drives it: a bash that reads keys.
#
#   tabs [RC] <LINES    each line as it is when all its completions have been inserted at its end (M-*); RC: what the bash sources, by default
#                       our file. What it and what it calls said on standard error: $T/tabs.err, with the keys' echo taken out
tabs() {
	local rc=${1:-$ROOT/share/completion/penstock.bash} in=$T/tabs.in
	cat >"$T/tabs.rc" <<-EOF
		HISTFILE= PS1= PS2=
		set -o emacs
		bind 'set page-completions off'
		bind 'set completion-query-items 0'
		bind 'set bell-style none'
		bind '"\C-t": insert-completions'
		tabs_show() { printf '%s\n' "\$READLINE_LINE" >>"$T/tabs.out"; READLINE_LINE= READLINE_POINT=0; }
		bind -x '"\C-o": tabs_show'
		. "$rc"
	EOF
	: >"$T/tabs.out"
	sed 's/$/\x14\x0f/' | tr -d '\n' >"$in"
	TERM=dumb INPUTRC=/dev/null bash --noprofile --rcfile "$T/tabs.rc" -i <"$in" >/dev/null 2>"$T/tabs.err" 3>&- 4>&-
	cat "$T/tabs.out"
}
