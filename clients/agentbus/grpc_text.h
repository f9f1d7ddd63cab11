/* What gRPC writes around a message and its answer. Pure. */
#ifndef CLIENTS_AGENTBUS_GRPC_TEXT_H
#define CLIENTS_AGENTBUS_GRPC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_PREFIX 5

/* The bytes before a message of that length. */
void grpc_prefix(uint8_t out[GRPC_PREFIX], bool compressed, uint32_t len);

/*
 * Whether a line of a header ("name: value", with or without its end) has that name, in any case. If so, *ret_value is where
 * its value begins within the line, and *ret_len how long it is without spaces around it.
 */
bool grpc_header(const char *line, size_t len, const char *name, const char **ret_value, size_t *ret_len);

/* Reads the value of grpc-status. */
bool grpc_status(const char *value, size_t len, unsigned *ret);

/* The name of a status, as gRPC's libraries print it; "?" for a number without one. Static. */
const char *grpc_status_name(unsigned status);

/*
 * Undoes the percent-encoding of grpc-message. A "%" without two hexadecimal digits stays as it is. Writes at most size
 * bytes, the NUL included, and returns how many there are without it.
 */
size_t grpc_message(const char *value, size_t len, char *out, size_t size);

#endif
