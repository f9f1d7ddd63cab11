# Completion of notify-subscriber(1) for bash.

_notify_subscriber()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	case $prev in
	--completed | --failed | --waiting | --budget-warn | --budget-limit)
		mapfile -t COMPREPLY < <(compgen -W 'low normal critical off' -- "$cur")
		;;
	--when-focused)
		mapfile -t COMPREPLY < <(compgen -W 'hide show' -- "$cur")
		;;
	--quiet-hours-allow)
		mapfile -t COMPREPLY < <(compgen -W 'completed failed waiting budget-warn budget-limit' -- "$cur")
		;;
	--focus-command | --focus-check-command)
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		;;
	--runtime-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	--min-turn | --waiting-delay | --cooldown | --quiet-hours) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "--min-turn --completed --failed --waiting --budget-warn --budget-limit \
			--waiting-delay --cooldown --quiet-hours --quiet-hours-allow --when-focused --focus-command --focus-check-command \
			--dismiss-acknowledges --no-dismiss-acknowledges --sound --no-sound --runtime-dir --config --help --version" -- "$cur")
		;;
	esac
}

complete -o filenames -F _notify_subscriber notify-subscriber
