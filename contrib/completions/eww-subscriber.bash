# Completion of eww-subscriber(1) for bash.

_eww_subscriber()
{
	local cur prev
	COMPREPLY=()
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	--format | -f)
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -W 'eww waybar polybar i3status-rs ironbar template=' -- "$cur")
		;;
	--escape)
		mapfile -t COMPREPLY < <(compgen -W 'none pango polybar json' -- "$cur")
		;;
	--runtime-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	--rate | -r | --max | -m | --empty | --away) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W '--rate --format --max --empty --away --colours --no-colours --escape
			--runtime-dir --config --help --version' -- "$cur")
		;;
	esac
}

complete -o filenames -F _eww_subscriber eww-subscriber
