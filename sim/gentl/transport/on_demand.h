/* Faults from the consumer's own process, beside the standard's interface. */
#ifndef STATION_ON_DEMAND_H
#define STATION_ON_DEMAND_H

#include "gentl.h"

/* Arms a fault of a camera (0 is the first), as the features do. */
GC_API station_sim_set_fault(uint32_t camera, int32_t fault, uint32_t block, uint32_t lines, uint32_t time_ms,
                             int32_t call);
/* Unplugs a camera (away != 0) until it is plugged in again (0); its settings are lost. */
GC_API station_sim_disconnect(uint32_t camera, int32_t away);

#endif
