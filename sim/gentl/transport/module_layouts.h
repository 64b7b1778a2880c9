/* System, interface, device and stream as their descriptions show them. A field's offset is its address there. */
#ifndef STATION_MODULE_LAYOUTS_H
#define STATION_MODULE_LAYOUTS_H

#include <stdint.h>

enum { NAME_SIZE = 64, PATH_SIZE = 256 };

struct system_registers {
    char id[NAME_SIZE], vendor[NAME_SIZE], model[NAME_SIZE], version[NAME_SIZE]; /* 0x000 */
    char path[PATH_SIZE];                                                         /* 0x100 */
    char interface_id[NAME_SIZE];                                                 /* 0x200 */
    uint32_t version_major, version_minor;                                        /* 0x240 */
    uint32_t selector, selector_max, update;                                      /* 0x248 */
};

struct interface_registers {
    char id[NAME_SIZE];                                                /* 0x000 */
    char device_id[NAME_SIZE], vendor[NAME_SIZE], model[NAME_SIZE];    /* 0x040 */
    char serial[NAME_SIZE];                                            /* 0x100 */
    uint32_t access_status, selector, selector_max, update, available; /* 0x140 */
};

struct device_registers {
    char id[NAME_SIZE], vendor[NAME_SIZE], model[NAME_SIZE], serial[NAME_SIZE]; /* 0x000 */
    char stream_id[NAME_SIZE];                                                   /* 0x100 */
    uint32_t access_status, selector, selector_max;                              /* 0x140 */
};

struct stream_registers {
    char id[NAME_SIZE];                                  /* 0x000 */
    uint64_t announced, announce_min, delivered, lost;   /* 0x040 */
    uint64_t input, output, started, payload_size;       /* 0x060 */
    uint64_t chunk_count_max, alignment;                 /* 0x080 */
    uint32_t grabbing;                                   /* 0x090 */
};

#endif
