/* From a member to the struct that it is in. */
#ifndef CLIENTS_COMMON_CONTAINER_H
#define CLIENTS_COMMON_CONTAINER_H

#include <stddef.h>

/* The struct `type` whose `member` ptr points at. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
