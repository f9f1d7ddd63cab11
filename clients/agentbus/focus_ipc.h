/* One question to the socket of a window manager, and its answer. Blocks for a second at most. */
#ifndef CLIENTS_AGENTBUS_FOCUS_IPC_H
#define CLIENTS_AGENTBUS_FOCUS_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How messages are told apart. */
enum focus_framing {
	FRAMING_I3,  /* "i3-ipc", length, type, of sway and i3 */
	FRAMING_END, /* the answer ends with the connection: Hyprland */
	FRAMING_LINE /* a line each way: niri */
};

enum { FOCUS_ANSWER_MAX = 4 << 20 };

enum focus_whole { WHOLE_NOT_YET, WHOLE_YES, WHOLE_NEVER };

/*
 * Whether len bytes are an answer; ended: there will be no more. *ret_body and *ret_len are where it is within. Pure.
 */
enum focus_whole focus_ipc_whole(enum focus_framing framing, const char *bytes, size_t len, bool ended, size_t *ret_body,
				 size_t *ret_len);

/*
 * Asks the socket at path, in at most 512 bytes. type is of FRAMING_I3 alone. False if nobody listens there, or it does not
 * answer in time; else *ret_text, which the caller frees, has *ret_len bytes and a NUL.
 */
bool focus_ipc_ask(const char *path, enum focus_framing framing, uint32_t type, const char *request, char **ret_text,
		   size_t *ret_len);

#endif
