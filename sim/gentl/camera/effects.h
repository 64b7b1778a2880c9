/* What happens when a register is read or written, beyond its being copied; the rules say when. */
#ifndef STATION_EFFECTS_H
#define STATION_EFFECTS_H

#include "camera/camera.h"

/* Brings a value up to date that is about to be read. */
typedef void read_effect(struct camera *camera);
read_effect payload_size_read, encoder_value_read, resulting_line_rate_read, line_status_read, timestamp_read;

/* Whether a value within its own range fits the other registers. */
typedef bool limit(const struct registers *now, uint32_t number);
limit width_fits, offset_x_fits, pixel_format_fits;

/* Carries out what has been written. */
typedef GC_ERROR write_effect(struct camera *camera);
write_effect start_written, stop_written, abort_written, trigger_software_written, encoder_reset_written;
write_effect device_reset_written, user_set_save_written, user_set_default_written, user_id_written;
write_effect scene_written, noise_seed_written, fault_written;

#endif
