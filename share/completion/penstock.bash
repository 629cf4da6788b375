# Completion of penstock(1) for bash: commands and options as the program itself lists them, services of the tree, files.
_penstock_tree() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C) echo "${COMP_WORDS[i + 1]}"; return ;;
		-C?*) echo "${COMP_WORDS[i]#-C}"; return ;;
		esac
	done
	echo "${PENSTOCK_DIR:-.}"
}

# Services of the tree, and the instances of templates by their numbers.
_penstock_services() {
	local s i
	cd "$(_penstock_tree)/service" 2>/dev/null || return
	for s in *; do
		[ ! -d "$s" ] || echo "$s"
		[ ! -r "$s/instances" ] || for ((i = 1; i <= $(<"$s/instances"); i++)); do echo "$s@$i"; done
	done
}

# Accounts on chat platforms (NAME), or their tenants.
_penstock_accounts() { # account | tenant
	cd "$(_penstock_tree)/etc/accounts" 2>/dev/null || return
	if [ "$1" = tenant ]; then
		compgen -d
	else
		compgen -G '*/*.conf' | sed 's|.*/||; s|\.conf$||' | sort -u
	fi
}

_penstock() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cmd= i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C) ((i++)) ;;
		-*) ;;
		*) cmd=${COMP_WORDS[i]}; break ;;
		esac
	done
	if [ "$prev" = -C ] && [ -z "$cmd" ]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	elif [ -z "$cmd" ]; then
		mapfile -t COMPREPLY < <(compgen -W "-C $("${COMP_WORDS[0]}" help 2>/dev/null | sed -nE 's/^  ([a-z]+)  .*/\1/p')" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "$cmd" --help 2>/dev/null |
			sed -nE 's/^ {2,6}((-[A-Za-z]), )?(--[a-z0-9-]+).*/\2 \3/p')" -- "$cur")
	else
		case $cmd in
		start | stop | restart | reload | swap | drain)
			case $cmd$prev in
			drain--account) mapfile -t COMPREPLY < <(compgen -W "$(_penstock_accounts account)" -- "$cur") ;;
			drain--tenant) mapfile -t COMPREPLY < <(compgen -W "$(_penstock_accounts tenant)" -- "$cur") ;;
			*) mapfile -t COMPREPLY < <(compgen -W "$(_penstock_services)" -- "$cur") ;;
			esac ;;
		logs)
			if [[ $prev == --level || $prev == -l ]]; then
				mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$cur")
			else
				mapfile -t COMPREPLY < <(cd "$(_penstock_tree)/log" 2>/dev/null && compgen -d -- "$cur")
			fi ;;
		query | dead | spool)
			[ "$prev" != "$cmd" ] || mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "$cmd" --help 2>/dev/null |
				sed -nE "s/.* penstock $cmd ([a-z]+).*/\\1/p")" -- "$cur") ;;
		flag)
			[ "$prev" != flag ] || mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur") ;;
		lab)
			if [ "$prev" = lab ]; then
				mapfile -t COMPREPLY < <(compgen -W "up say show fault violations world" -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi ;;
		new) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		esac
	fi
}
complete -o filenames -F _penstock penstock
