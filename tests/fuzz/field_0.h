/* What protobuf-c cannot write again. For fuzz targets that read what they wrote. */
#ifndef AGENTBUS_FUZZ_FIELD_0_H
#define AGENTBUS_FUZZ_FIELD_0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * protobuf-c takes a field numbered 0 where its tag is spelled in several bytes, and then writes it in one, which nobody
 * takes. Nothing else may be lost on the way.
 */
static inline bool
may_hold_field_0(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t k = i + 1;

		if (p[i] < 0x80 || p[i] > 0x87)
			continue;
		while (k < len && p[k] == 0x80)
			k++;
		if (k < len && (p[k] & 0x0f) == 0)
			return true;
	}
	return false;
}

#endif
