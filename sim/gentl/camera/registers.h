/* The camera's register map. A field's offset is its address in the camera's description. */
#ifndef STATION_REGISTERS_H
#define STATION_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "camera/scene.h"

enum trigger_selector { TRIGGER_ACQUISITION_START, TRIGGER_FRAME_START, TRIGGER_LINE_START, TRIGGER_COUNT };
enum trigger_source { SOURCE_SOFTWARE, SOURCE_LINE0, SOURCE_ENCODER0 };
enum acquisition_mode { MODE_CONTINUOUS, MODE_SINGLE_FRAME, MODE_MULTI_FRAME };
enum pixel_format { PIXEL_MONO8 = 0x01080001, PIXEL_MONO12 = 0x01100005, PIXEL_MONO16 = 0x01100007 };
enum chunk { CHUNK_FRAME_ID, CHUNK_ENCODER, CHUNK_LINE_STATUS, CHUNK_COUNT }; /* in this order behind the image */
enum user_set { USER_SET_DEFAULT, USER_SET_0, USER_SET_1, USER_SET_COUNT };
enum { CHUNK_BYTES = 8 /* of a value */, USER_ID_SIZE = 32, FRAME_ID_LAST = 65535 /* of 16 bits; then comes 1 */ };

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
    } triggers[TRIGGER_COUNT];                          /* 0x0E0, 16 bytes each */
    uint32_t fault, fault_block;                        /* 0x110 */
    uint32_t fault_lines, fault_time_ms;                /* 0x118 */
    char scene_name[SCENE_NAME_SIZE];                   /* 0x120 */
    char scene_status[SCENE_STATUS_SIZE];               /* 0x160 */
    uint32_t start, stop, abort_now, trigger_software;  /* 0x1E0: commands, write only */
    uint32_t reserved2[4];                              /* 0x1F0 */
    uint32_t encoder_divider, encoder_reset;            /* 0x200 */
    int64_t encoder_value;                              /* 0x208 */
    double resulting_line_rate_hz;                      /* 0x210 */
    uint32_t line_status_all, device_reset;             /* 0x218 */
    uint32_t chunk_selector;                            /* 0x220 */
    uint32_t chunk_enable[CHUNK_COUNT];                 /* 0x224 */
    uint32_t user_set_selector, user_set_default;       /* 0x230 */
    uint32_t user_set_load, user_set_save;              /* 0x238: commands, write only */
    uint64_t timestamp_ns;                              /* 0x240 */
    char user_id[USER_ID_SIZE];                         /* 0x248 */
    double nominal_exposure_us, noise;                  /* 0x268 */
    uint32_t noise_seed, hang_call;                     /* 0x278 */
    uint32_t big_endian, next_frame_id;                 /* 0x280 */
};

/* What a camera keeps without power, as long as the library is loaded. */
struct flash {
    char user_id[USER_ID_SIZE];
    uint32_t user_set_default;
    bool saved[USER_SET_COUNT];
    struct registers user_sets[USER_SET_COUNT];
};

#endif
