/* The registers of the modules on the host's side: what GenTL's own naming convention (GenTL SFNC) says of them. */
#ifndef STATION_MODULE_REGISTERS_H
#define STATION_MODULE_REGISTERS_H

#include "gentl.h"

/* Any part of a module's registers. */
GC_ERROR module_read(PORT_HANDLE port, uint64_t address, void *value, size_t size);
/* A selector or a command; everything else is read only. */
GC_ERROR module_write(PORT_HANDLE port, uint64_t address, const void *value, size_t size);

#endif
