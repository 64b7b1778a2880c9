/* The GenICam descriptions, embedded when the library is built: the camera's, and one for each module. */
#ifndef STATION_NODEMAP_H
#define STATION_NODEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/handles.h"

struct nodemap {
    const char *file, *port; /* the file's name; the port's node in it */
    const char *text;
    size_t size;
    uint64_t address; /* where a port shows it, behind all registers */
};

/* The description that a module's port offers. */
struct nodemap nodemap_of(enum module_kind kind);

#endif
