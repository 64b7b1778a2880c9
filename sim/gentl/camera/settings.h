/* The camera's settings as a whole: factory values, user sets, and what follows from them. */
#ifndef STATION_SETTINGS_H
#define STATION_SETTINGS_H

#include <stddef.h>

#include "camera/registers.h"
#include "gentl.h"

/* Values of a camera as it leaves the factory. */
struct registers settings_factory(void);
GC_ERROR settings_save(const struct registers *registers, struct flash *flash, uint32_t user_set);
/* Bytes a pixel takes. */
size_t pixel_size(uint32_t pixel_format);
/* The chunks that are appended, 1 << enum chunk each. */
uint32_t registers_chunks(const struct registers *registers);
/* Bytes of one chunk, one value or one for each line, and of all those appended behind a block of so many lines. */
size_t chunk_size(enum chunk chunk, uint32_t height);
size_t chunks_size(uint32_t chunks, uint32_t height);
/* Bytes from the end of the image to this chunk. */
size_t chunk_offset(uint32_t chunks, enum chunk chunk, uint32_t height);
size_t registers_payload_size(const struct registers *registers);
/* Lines a second that the camera can reach: exposures do not overlap. */
double registers_line_rate_hz(const struct registers *registers);

#endif
