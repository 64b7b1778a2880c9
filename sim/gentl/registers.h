/* The camera's register map. A field's offset is its address in camera.xml. */
#ifndef STATION_REGISTERS_H
#define STATION_REGISTERS_H

#include <stddef.h>

#include "gentl.h"
#include "scene.h"

struct camera;

enum trigger_selector { TRIGGER_ACQUISITION_START, TRIGGER_FRAME_START, TRIGGER_LINE_START, TRIGGER_COUNT };
enum trigger_source { SOURCE_SOFTWARE, SOURCE_LINE0, SOURCE_ENCODER0 };
enum acquisition_mode { MODE_CONTINUOUS, MODE_SINGLE_FRAME, MODE_MULTI_FRAME };
enum pixel_format { PIXEL_MONO8 = 0x01080001, PIXEL_MONO12 = 0x01100005, PIXEL_MONO16 = 0x01100007 };

/* Exposure, gain and black level are kept but change no pixel: a scene is already what the sensor digitises. */
struct registers {
    char vendor[32];                     /* 0x000 */
    char model[32];                      /* 0x020 */
    char serial[32];                     /* 0x040 */
    char version[32];                    /* 0x060 */
    uint32_t scan_type, reserved0;       /* 0x080 */
    double temperature_c;                /* 0x088 */
    uint32_t sensor_width, width;        /* 0x090 */
    uint32_t height, offset_x;           /* 0x098 */
    uint32_t pixel_format, payload_size; /* 0x0A0 */
    uint32_t tl_params_locked;           /* 0x0A8 */
    uint32_t chunk_mode_active;          /* 0x0AC */
    uint32_t acquisition_mode;           /* 0x0B0 */
    uint32_t acquisition_frame_count;    /* 0x0B4 */
    double line_rate_hz, exposure_us;    /* 0x0B8 */
    double gain_db, black_level;         /* 0x0C8 */
    uint32_t trigger_selector;           /* 0x0D8 */
    uint32_t reserved1;                  /* 0x0DC */
    struct trigger {
        uint32_t mode, source, activation, reserved;
    } triggers[TRIGGER_COUNT];                         /* 0x0E0, 16 bytes each */
    uint32_t fault, fault_block;                       /* 0x110 */
    uint32_t fault_lines, reserved2;                   /* 0x118 */
    char scene_name[SCENE_NAME_SIZE];                  /* 0x120 */
    char scene_status[SCENE_STATUS_SIZE];              /* 0x160 */
    uint32_t start, stop, abort_now, trigger_software; /* 0x1E0: commands, write only */
};
_Static_assert(offsetof(struct registers, sensor_width) == 0x090, "camera.xml");
_Static_assert(offsetof(struct registers, line_rate_hz) == 0x0B8, "camera.xml");
_Static_assert(offsetof(struct registers, triggers) == 0x0E0, "camera.xml");
_Static_assert(offsetof(struct registers, scene_name) == 0x120, "camera.xml");
_Static_assert(offsetof(struct registers, trigger_software) == 0x1EC, "camera.xml");

/* Values after power-up. */
void registers_reset(struct registers *registers, const char *serial);
/* One whole register; refuses other addresses and lengths, wrong access, values out of range, locked registers. */
GC_ERROR registers_read(struct camera *camera, uint64_t address, void *value, size_t size);
GC_ERROR registers_write(struct camera *camera, uint64_t address, const void *value, size_t size);
/* Bytes a pixel takes. */
size_t pixel_size(uint32_t pixel_format);
size_t registers_payload_size(const struct registers *registers);

#endif
