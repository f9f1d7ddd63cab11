/* Which user a local TCP connection comes from, by the kernel's socket table. */
#ifndef AGENTBUS_PEER_UID_H
#define AGENTBUS_PEER_UID_H

#include "address.h"

#include <sys/types.h>

/*
 * Finds the user of the socket, and its inode, at the other end of a connection from `peer` to `local`, both of the same family,
 * on this machine: by sock_diag(7), or where that is not to be had by /proc/net/tcp and tcp6. False if the kernel cannot tell:
 * the socket is not of this network namespace, or its owner has closed it already. Some microseconds; blocks for nobody.
 */
bool peer_uid(const struct address *peer, const struct address *local, uid_t *ret, uint32_t *ret_inode);

#endif
