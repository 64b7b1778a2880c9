"""`station bench`: what this computer reaches, as figures, as a verdict in words, and as a picture.

    suite        every benchmark by name, in the order in which they run
    ├ machine, ceiling                              the processor
    ├ model_only, end_to_end, torch_eager           the network; raw scans to decisions; in turns (network_run)
    ├ scaling                                       the cost against patches and cores
    ├ acquisition                                   the camera's way, without a cell
    ├ stream, memory                                the whole simulated cell (cell_run), lines at their rate or free
    └ startup                                       `station run`, from the start of its process to Idle
    capability   whether this computer can run the configured line, up to which line rate, and what limits
    picture      latencies, a part's waterfall, throughput against width and cores

What could disturb what is measured runs apart, in a process of its own (`apart`).
"""
