# Completion of agentbus(1) for bash.

# The ids of the sessions, and only of those in the state $1 if that is given. Says nothing where no broker runs. What holds
# anything that a shell might take for a command is left out.
_agentbus_sessions()
{
	agentbus status --json --timeout 300ms 2>/dev/null | tr '{' '\n' |
		sed -n "s/^\"id\":\"\([A-Za-z0-9._:-]*\)\".*\"state\":\"${1:-[a-z]*}\".*/\1/p"
}

_agentbus()
{
	local cur prev verb word
	local common='--runtime-dir --config --help --version'
	COMPREPLY=()
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		status | watch | cost | pricing | setup | doctor | emit | ack | focus | replay)
			verb=$word
			break
			;;
		esac
	done

	case $prev in
	--runtime-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--config | --file | --output | -f | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--topic | -t)
		mapfile -t COMPREPLY < <(compgen -W 'v1/ v1/claude-code/ v1/codex/ v1/gemini-cli/ v1/qwen-code/ v1/genai/' -- "$cur")
		return
		;;
	--endpoint)
		mapfile -t COMPREPLY < <(compgen -W 'http://127.0.0.1:4318' -- "$cur")
		return
		;;
	--since | -s)
		[[ $verb == cost ]] && mapfile -t COMPREPLY < <(compgen -W 'today yesterday week month year all 7d 30d' -- "$cur")
		return
		;;
	--by | -b)
		mapfile -t COMPREPLY < <(compgen -W 'day model provider project session' -- "$cur")
		return
		;;
	--provider)
		mapfile -t COMPREPLY < <(compgen -W 'claude codex gemini qwen' -- "$cur")
		return
		;;
	--timeout | --count | -n | --speed)
		return
		;;
	esac

	case $verb:$cur in
	status:*)
		mapfile -t COMPREPLY < <(compgen -W "--json --all --watch --forward --timeout $common" -- "$cur")
		;;
	watch:*)
		mapfile -t COMPREPLY < <(compgen -W "--json --topic --since --count $common" -- "$cur")
		;;
	cost:*)
		mapfile -t COMPREPLY < <(compgen -W "--since --by --json --csv --timeout $common" -- "$cur")
		;;
	pricing:-*)
		mapfile -t COMPREPLY < <(compgen -W "--file --json --output $common" -- "$cur")
		;;
	pricing:*)
		case " ${COMP_WORDS[*]} " in
		*' check '* | *' import '*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			;;
		*)
			mapfile -t COMPREPLY < <(compgen -W 'show check import' -- "$cur")
			;;
		esac
		;;
	setup:-*)
		mapfile -t COMPREPLY < <(compgen -W "--apply --undo --force --hooks --no-hooks --telemetry --no-telemetry --endpoint $common" -- "$cur")
		;;
	setup:*)
		mapfile -t COMPREPLY < <(compgen -W 'claude codex gemini qwen' -- "$cur")
		;;
	doctor:*)
		mapfile -t COMPREPLY < <(compgen -W "--json --timeout $common" -- "$cur")
		;;
	emit:*)
		mapfile -t COMPREPLY < <(compgen -W "--provider --runtime-dir --help" -- "$cur")
		;;
	ack:-*)
		mapfile -t COMPREPLY < <(compgen -W "--all --timeout $common" -- "$cur")
		;;
	ack:*)
		mapfile -t COMPREPLY < <(compgen -W "$(_agentbus_sessions completed)" -- "$cur")
		;;
	focus:-*)
		mapfile -t COMPREPLY < <(compgen -W "--next --check --print --verbose --timeout $common" -- "$cur")
		;;
	focus:*)
		mapfile -t COMPREPLY < <(compgen -W "$(_agentbus_sessions)" -- "$cur")
		;;
	replay:-*)
		mapfile -t COMPREPLY < <(compgen -W "--endpoint --speed --http $common" -- "$cur")
		;;
	replay:*)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	:*)
		mapfile -t COMPREPLY < <(compgen -W "status watch cost pricing setup doctor emit ack focus replay $common" -- "$cur")
		;;
	esac
}

complete -o filenames -F _agentbus agentbus
