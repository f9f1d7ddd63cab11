#include "bus_socket.h"

bool
bus_socket_listen(nng_socket socket, const char *url, size_t max_message, const struct log *log)
{
	nng_listener listener;
	int error = nng_listener_create(&listener, socket, url);

	if (error == 0)
		error = nng_listener_set_size(listener, NNG_OPT_RECVMAXSZ, max_message);
	/* Before the start: there is no moment in which others could connect. */
	if (error == 0)
		error = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600);
	if (error == 0)
		error = nng_listener_start(listener, 0);
	if (error != 0)
		log_error(log, "cannot listen on %s: %s", url, nng_strerror(error));
	return error == 0;
}
