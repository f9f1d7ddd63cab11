/* The ways to a window, in the order in which they are gone; each is a file of its own. */
#ifndef CLIENTS_AGENTBUS_FOCUS_WAYS_H
#define CLIENTS_AGENTBUS_FOCUS_WAYS_H

#include "focus_job.h"

/*
 * In tmux: brings the pane to the front of the client that was used last, and goes on from that client: job then tells where it
 * is. FOCUS_NOT_MINE where the job is in no pane.
 */
enum focus_verdict focus_tmux(struct focus_job *job);

/*
 * Terminals that take commands: kitty and wezterm. The first looks, and leaves in job->clue what they tell of the window;
 * FOCUS_ELSEWHERE if another of their tabs or panes is shown. The second shows the right one, once the window is in front: until
 * then its title must stay.
 */
enum focus_verdict focus_terminal_look(struct focus_job *job);
void focus_terminal_act(const struct focus_job *job);

/* Window managers with a socket: sway, i3, Hyprland, niri. */
enum focus_verdict focus_desktop(struct focus_job *job);

/* Whatever else there is: any window manager of X11, by xdotool or wmctrl. */
enum focus_verdict focus_x11(struct focus_job *job);

/* Fills in the processes of windows of X11 as far as they are among the job's. */
void focus_x11_name(const struct focus_job *job, struct focus_windows *w);

#endif
