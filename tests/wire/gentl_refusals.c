/* Every entry point of the simulated camera with a handle that is none, and with nowhere to put its results. */
#include <stdio.h>
#include <stdlib.h>

#include "gentl_session.h"

static void refuse_all_with(void *handle) {
    char text[256];
    size_t size = sizeof text, count = 1;
    uint32_t number = 0;
    void *opened = NULL;
    INFO_DATATYPE type;
    bool8_t changed;
    EVENT_NEW_BUFFER_DATA data = {NULL, NULL};
    PORT_REGISTER_STACK_ENTRY entry = {0, text, 4};
    SINGLE_CHUNK_DATA chunk;
    const GC_ERROR results[] = {
        GCGetPortInfo(handle, PORT_INFO_ID, &type, text, &size), GCGetNumPortURLs(handle, &number),
        GCGetPortURL(handle, text, &size), GCGetPortURLInfo(handle, 0, URL_INFO_URL, &type, text, &size),
        GCReadPort(handle, 0, text, &size), GCWritePort(handle, 0, text, &size),
        GCReadPortStacked(handle, &entry, &count), GCWritePortStacked(handle, &entry, &count),
        GCRegisterEvent(handle, EVENT_NEW_BUFFER, &opened), GCUnregisterEvent(handle, EVENT_NEW_BUFFER),
        EventGetData(handle, &data, &size, 0), EventGetDataInfo(handle, &data, sizeof data, 0, &type, text, &size),
        EventGetInfo(handle, 0, &type, text, &size), EventFlush(handle), EventKill(handle), TLClose(handle),
        TLGetInfo(handle, 0, &type, text, &size), TLUpdateInterfaceList(handle, &changed, 0),
        TLGetNumInterfaces(handle, &number), TLGetInterfaceID(handle, 0, text, &size),
        TLGetInterfaceInfo(handle, "x", 0, &type, text, &size), TLOpenInterface(handle, "x", &opened), IFClose(handle),
        IFGetInfo(handle, 0, &type, text, &size), IFGetParentTL(handle, &opened),
        IFUpdateDeviceList(handle, &changed, 0), IFGetNumDevices(handle, &number), IFGetDeviceID(handle, 0, text, &size),
        IFGetDeviceInfo(handle, "x", 0, &type, text, &size), IFOpenDevice(handle, "x", 4, &opened), DevClose(handle),
        DevGetInfo(handle, 0, &type, text, &size), DevGetParentIF(handle, &opened), DevGetPort(handle, &opened),
        DevGetNumDataStreams(handle, &number), DevGetDataStreamID(handle, 0, text, &size),
        DevOpenDataStream(handle, "x", &opened), DSClose(handle), DSGetInfo(handle, 0, &type, text, &size),
        DSGetParentDev(handle, &opened), DSAnnounceBuffer(handle, text, sizeof text, NULL, &opened),
        DSAllocAndAnnounceBuffer(handle, 64, NULL, &opened), DSRevokeBuffer(handle, handle, NULL, NULL),
        DSQueueBuffer(handle, handle), DSFlushQueue(handle, ACQ_QUEUE_ALL_DISCARD),
        DSStartAcquisition(handle, ACQ_START_FLAGS_DEFAULT, 1), DSStopAcquisition(handle, ACQ_STOP_FLAGS_KILL),
        DSGetBufferID(handle, 0, &opened), DSGetBufferInfo(handle, handle, 0, &type, text, &size),
        DSGetBufferChunkData(handle, handle, &chunk, &count), DSGetNumBufferParts(handle, handle, &number),
        DSGetBufferPartInfo(handle, handle, 0, 0, &type, text, &size)};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] != GC_ERR_INVALID_HANDLE) {
            fprintf(stderr, "entry point %zu answered %d to a handle that is none\n", i, (int)results[i]);
            exit(1);
        }
}

/* Results that nobody wants: everything must be refused, or be harmless. */
static void call_all_without_results(const struct session *open) {
    TLOpen(NULL), TLGetNumInterfaces(open->system, NULL), TLGetInterfaceID(open->system, 0, NULL, NULL);
    TLGetInfo(open->system, 0, NULL, NULL, NULL), TLUpdateInterfaceList(open->system, NULL, 0);
    TLGetInterfaceInfo(open->system, NULL, 0, NULL, NULL, NULL), TLOpenInterface(open->system, NULL, NULL);
    IFGetInfo(open->interface, 0, NULL, NULL, NULL), IFGetParentTL(open->interface, NULL);
    IFGetNumDevices(open->interface, NULL), IFGetDeviceID(open->interface, 0, NULL, NULL);
    IFGetDeviceInfo(open->interface, NULL, 0, NULL, NULL, NULL), IFOpenDevice(open->interface, NULL, 4, NULL);
    DevGetInfo(open->device, 0, NULL, NULL, NULL), DevGetParentIF(open->device, NULL), DevGetPort(open->device, NULL);
    DevGetNumDataStreams(open->device, NULL), DevGetDataStreamID(open->device, 0, NULL, NULL);
    DevOpenDataStream(open->device, NULL, NULL), DSGetInfo(open->stream, 0, NULL, NULL, NULL);
    DSGetParentDev(open->stream, NULL), DSAnnounceBuffer(open->stream, NULL, 0, NULL, NULL);
    DSAllocAndAnnounceBuffer(open->stream, 0, NULL, NULL), DSRevokeBuffer(open->stream, NULL, NULL, NULL);
    DSQueueBuffer(open->stream, NULL), DSFlushQueue(open->stream, 99), DSGetBufferID(open->stream, 0, NULL);
    DSGetBufferInfo(open->stream, open->buffers[0], 0, NULL, NULL, NULL);
    DSGetBufferChunkData(open->stream, open->buffers[0], NULL, NULL);
    DSGetNumBufferParts(open->stream, open->buffers[0], NULL);
    DSGetBufferPartInfo(open->stream, open->buffers[0], 0, 0, NULL, NULL, NULL);
    GCRegisterEvent(open->stream, EVENT_NEW_BUFFER, NULL), EventGetData(open->event, NULL, NULL, 0);
    EventGetDataInfo(open->event, NULL, 0, 0, NULL, NULL, NULL), EventGetInfo(open->event, 0, NULL, NULL, NULL);
    GCGetPortInfo(open->remote, 0, NULL, NULL, NULL), GCGetNumPortURLs(open->remote, NULL);
    GCGetPortURL(open->remote, NULL, NULL), GCGetPortURLInfo(open->remote, 0, 0, NULL, NULL, NULL);
    GCReadPort(open->remote, 0, NULL, NULL), GCWritePort(open->remote, 0, NULL, NULL);
    GCReadPortStacked(open->remote, NULL, NULL), GCWritePortStacked(open->remote, NULL, NULL);
    GCGetInfo(0, NULL, NULL, NULL), GCGetLastError(NULL, NULL, NULL);
}

static void refuse_as_buffer(const struct session *open, BUFFER_HANDLE buffer) {
    char text[64];
    size_t size = sizeof text, count = 1;
    uint32_t parts;
    INFO_DATATYPE type;
    SINGLE_CHUNK_DATA chunk;
    const GC_ERROR results[] = {DSQueueBuffer(open->stream, buffer),
                                DSRevokeBuffer(open->stream, buffer, NULL, NULL),
                                DSGetBufferInfo(open->stream, buffer, BUFFER_INFO_SIZE, &type, text, &size),
                                DSGetBufferChunkData(open->stream, buffer, &chunk, &count),
                                DSGetNumBufferParts(open->stream, buffer, &parts),
                                DSGetBufferPartInfo(open->stream, buffer, 0, 0, &type, text, &size)};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        must(results[i] == GC_ERR_INVALID_HANDLE, "what is no buffer of the stream was taken for one");
}

void refuse_what_is_no_handle(void) {
    static struct session session;
    open_all(&session, "station-linescan-1");
    call_all_without_results(&session);
    void *const closed[] = {session.system, session.interface, session.device, session.remote,
                            session.stream, session.event,     session.buffers[0]};
    must(TLClose(session.system) == 0, "TLClose");
    refuse_all_with(NULL);
    refuse_all_with((void *)(uintptr_t)0xDEADBEEF0000u);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        refuse_all_with(closed[i]);
    static struct session again;
    open_all(&again, "station-linescan-1");
    refuse_as_buffer(&again, NULL);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        refuse_all_with(closed[i]);
        refuse_as_buffer(&again, closed[i]);
    }
    must(DSRevokeBuffer(again.stream, again.buffers[1], NULL, NULL) == 0, "revoke");
    refuse_as_buffer(&again, again.buffers[1]);
    must(TLClose(again.system) == 0, "TLClose");
}
