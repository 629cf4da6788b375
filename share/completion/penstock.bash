# Completion in bash of penstock(1) and of the programs that it runs. All it knows of their options comes from --help: a value, or an operand in
# a form of use, is a word in capitals that says what is wanted (FILE, SERVICE), or the words to choose from (json|text); in small letters it
# stands as it is. What belongs to a tree is looked up there. Sourced by hand it serves all programs; bash-completion finds it by their names.

declare -gA _penstock_said _penstock_when

# $text: what the command prints. Asked again after a minute: it may have been built anew.
_penstock_ask() { # COMMAND...
	local key="$*" age
	age=$((SECONDS - ${_penstock_when[$key]:--1000}))
	if ((age < 0 || age > 60)); then
		_penstock_said[$key]=$(! type -P -- "$1" >/dev/null || command -- "$@" </dev/null)
		_penstock_when[$key]=$SECONDS
	fi
	text=${_penstock_said[$key]}
}

# $words: the command line before the word at the cursor, and $cur, that one. readline parts words at = : and @ too, and so replaces only the end
# of $cur: $kept is what stands before that.
_penstock_words() { # WHAT READLINE REPLACES
	local line=$COMP_LINE piece gap i
	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		piece=${COMP_WORDS[i]}
		gap=${line%%"$piece"*}
		line=${line#"$gap$piece"}
		[[ -n $piece ]] || gap=' '
		if ((i)) && [[ -z $gap && ($piece == [=:@]* || ${words[-1]} == *[=:@]) ]]; then
			words[-1]+=$piece
		else
			words+=("$piece")
		fi
	done
	cur=${words[-1]}
	unset 'words[-1]'
	kept=${cur%"$1"}
	case $kept in
	[\"\']*) cur=${cur:1} kept=${kept:1} ;;
	esac
}

# $plain: a word without quotes, its ~ expanded.
_penstock_plain() { # WORD
	plain=${1//[\\\"\']/}
	[[ $plain != '~' && $plain != '~/'* ]] || plain=$HOME${plain#\~}
}

# $takes: what each option takes, nothing if none; $forms: how the command is used, without its name. From $text.
_penstock_read() {
	local line option='^  (-(.), |    )--([a-z0-9-]+)( ([^ ]+))? '
	takes=() forms=()
	while IFS= read -r line; do
		if [[ $line =~ $option ]]; then
			takes[--${BASH_REMATCH[3]}]=${BASH_REMATCH[5]}
			[[ -z ${BASH_REMATCH[2]} ]] || takes[-${BASH_REMATCH[2]}]=${BASH_REMATCH[5]}
		elif [[ $line == 'Usage: '* || $line == '       '[[:lower:]]* ]]; then
			line=" ${line:7} "
			line=${line/#" ${prog##*/} "/ }
			forms+=("${line/#" ${cmd:-/} "/ }")
		fi
	done <<<"$text"
}

# The names of a kind in the tree, a line each; in a subshell.
_penstock_names() { # KIND
	local f n i
	CDPATH='' builtin cd -- "$tree" || return
	shopt -u failglob dotglob
	shopt -s nullglob
	set +f
	case $1 in
	SERVICE) set -- service/*/; [[ $cmd != logs ]] || set -- "$@" log/*/ ;;
	GATEWAY) set -- run/*.ctl ;;
	DEST) set -- spool/cursor/* ;;
	ACCOUNT) set -- etc/accounts/*/*.conf ;;
	TENANT) set -- etc/accounts/*/ etc/replies/*.conf history/*.db ;;
	FLAG) _penstock_flags; return ;;
	esac
	for f; do
		f=${f%/} n=${f##*/}
		n=${n%.conf} n=${n%.db}
		echo "${n%.ctl}"
		[[ -f $f/instances ]] && read -r n <"$f/instances" && [[ $n == [1-9]?([0-9])?([0-9]) ]] || continue
		for ((i = 1; i <= n; i++)); do echo "${f##*/}@$i"; done
	done
}

# Flags that are on, and those that a rule asks for: "flag NAME".
_penstock_flags() {
	local n w
	while read -r n w; do
		[[ $n == [!#]* ]] && echo "$n"
	done <etc/flags
	while read -ra w; do
		for ((n = 0; n < ${#w[@]}; n++)); do
			[[ ${w[n]} != \#* ]] || break
			[[ ${w[n]} != *(\()flag ]] || echo "${w[n + 1]%%)*}"
		done
	done <etc/rules
}

# Letters, by their numbers; in a subshell.
_penstock_letters() {
	local n
	command -- "$prog" -C "$tree" dead list </dev/null | while read -r n _; do
		[[ $n != [0-9]* ]] || echo "$n"
	done
}

# The end of a URL: a socket is a file.
_penstock_url() {
	local f
	[[ $cur == ipc://* ]] || { offers+=(ipc://); compopt -o nospace; return; }
	while IFS= read -r f; do
		[[ ! -d $f ]] || { f+=/; compopt -o nospace; }
		offers+=("ipc://$f")
	done <<<"$(compgen -f -- "${cur#ipc://}")"
}

# $offers: what may stand where an option or a form of use has this word. Files are left to readline.
_penstock_offer() { # WORD
	local kind
	for kind in ${1//|/ }; do
		case $kind in
		FILE | ARGUMENT) compopt -o default ;;
		DIR) compopt -o dirnames ;;
		PROGRAM) if [[ $cur == */* ]]; then compopt -o default; else offers+=($(compgen -c -- "$cur")); fi ;;
		USER) offers+=($(compgen -u -- "$cur")) ;;
		URL) _penstock_url ;;
		SERVICE | GATEWAY | DEST | ACCOUNT | TENANT | FLAG) offers+=($(_penstock_names "$kind")) ;;
		LETTER) offers+=($(_penstock_letters)) ;;
		-- | [[:lower:]]*) offers+=("$kind") ;;
		esac
	done
}

# penstock's own words: $tree, $cmd, $at, where the arguments of the command begin; $want: what the cursor stands at if it is before the command.
_penstock_front() {
	for ((at = 1; at < ${#words[@]}; at++)); do
		case ${words[at]} in
		-C) want=DIR
			((++at < ${#words[@]})) || return
			_penstock_plain "${words[at]}"
			tree=$plain ;;
		-C*) _penstock_plain "${words[at]#-C}"
			tree=$plain ;;
		*) cmd=${words[at++]} want=
			return ;;
		esac
	done
	want=COMMAND
}

# A program's own command, such as the spool of route, has its own --help: $cmd, $at.
_penstock_tool() {
	local form
	for form in "${forms[@]}"; do
		[[ $form == " ${words[1]-} "* && ${words[1]-} == [[:lower:]]* ]] || continue
		cmd=${words[1]} at=2
		return 0
	done
	return 1
}

# The arguments up to the cursor: $want: what the last one, an option, takes; $operands; $ended: -- stands among them.
_penstock_arguments() { # WORD...
	local w i
	for w; do
		if [[ -n $want ]]; then
			want=
			continue
		fi
		case $ended$w in
		--) ended=1 operands+=(--) ;;
		--*) want=${takes[$w]} ;;
		[\<\>]*) want=FILE ;;
		-?*) for ((i = 1; i < ${#w}; i++)); do
				[[ -n ${takes[-${w:i:1}]} ]] || continue
				((i + 1 < ${#w})) || want=${takes[-${w:i:1}]}
				break
			done ;;
		*) operands+=("$w") ;;
		esac
	done
}

# Offers what a form of use has at the cursor, if the operands before it are as it wants them.
_penstock_form() { # FORM
	local token pattern=() last= skip= i
	token=${1//[][]/ }
	for token in ${token//.../ }; do
		if [[ -n $skip ]]; then
			skip=
			continue
		fi
		case $token in
		--) pattern+=(--) last=-- ;;
		-*) skip=${takes[$token]} last= ;;
		\<) skip=1 ;;
		OPTION | '|') last= ;;
		*) pattern+=("$token") last=$token ;;
		esac
	done
	[[ $1 == *...?(\])\  ]] || last=
	for ((i = 0; i < ${#operands[@]}; i++)); do
		case ${pattern[i]:-$last} in
		'') return ;;
		-- | [[:lower:]]*) [[ "|${pattern[i]}|" == *"|${operands[i]}|"* ]] || return ;;
		*) [[ ${operands[i]} != -- ]] || return ;;
		esac
	done
	_penstock_offer "${pattern[i]:-$last}"
}

# A program of the same name that is not ours, as the route of net-tools: what bash-completion has for it, or files.
_penstock_stranger() { # PROGRAM "$@"
	local dir name=${1##*/} theirs='-F ([^ ]+)' function IFS=:
	shift
	compopt -o bashdefault -o default
	[[ -n ${BASH_COMPLETION_VERSINFO-} ]] || return 0
	for dir in ${XDG_DATA_DIRS:-/usr/local/share:/usr/share}; do
		[[ -f $dir/bash-completion/completions/$name ]] || continue
		IFS=$' \t\n'
		set +f
		. "$dir/bash-completion/completions/$name"
		[[ $(complete -p -- "$name") =~ $theirs ]] || return
		function=${BASH_REMATCH[1]}
		complete -F _penstock_complete "$name"
		[[ $function == _penstock_complete ]] || "$function" "$@"
		return
	done
}

_penstock_complete() {
	local - IFS=$' \t\n' LC_ALL=C
	set -f +eu
	local words cur kept plain prog text at=1 want= ended= cmd= tree=${PENSTOCK_DIR:-.} offers=() operands=() forms=() lead= word
	local -A takes=()
	COMPREPLY=()
	_penstock_words "$2"
	_penstock_plain "${words[0]}"
	prog=$plain
	[[ ${prog##*/} != penstock ]] || _penstock_front
	if [[ $want == COMMAND ]]; then
		_penstock_ask "$prog" help
		offers=(-C -h --help -V --version)
		[[ $cur == -* ]] || offers=($(while read -r word at; do [[ $word == +([a-z]) ]] && echo "$word"; done <<<"${text#*$'\n\n'}"))
	elif [[ -n $want ]]; then
		_penstock_offer "$want"
	else
		_penstock_ask "$prog" ${cmd:+"$cmd"} --help
		if [[ $text != *$'\nThe manual is '* ]]; then
			[[ -z $text || -n $cmd ]] || _penstock_stranger "$prog" "$@"
			return
		fi
		_penstock_read
		if [[ -z $cmd ]] && _penstock_tool; then
			_penstock_ask "$prog" "$cmd" --help
			_penstock_read
		fi
		_penstock_arguments "${words[@]:at}"
		if [[ -n $want ]]; then
			_penstock_offer "$want"
		elif [[ -z $ended && $cur == --*=* ]]; then
			lead=${cur%%=*}=
			word=${takes[${cur%%=*}]} cur=${cur#*=}
			_penstock_offer "$word"
			cur=$lead$cur
		elif [[ -z $ended && $cur == -* ]]; then
			offers=("${!takes[@]}")
		else
			for word in "${forms[@]}"; do _penstock_form "$word"; done
		fi
	fi
	# What the shell would take for more than a word, as a file of somebody's tree may be called, is not put on the command line.
	for word in "${offers[@]}"; do
		word=$lead$word
		[[ $word == *[!A-Za-z0-9._/:@=+,%-]* || $word != "$cur"* ]] || COMPREPLY+=("${word#"$kept"}")
	done
} 2>/dev/null
complete -F _penstock_complete penstock gatewayd route store analyze respond deliver stage supervise logd
