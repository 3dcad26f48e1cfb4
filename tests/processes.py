"""Work that several processes do at the same moment."""


def at_once(barrier, function, worker, *arguments):
    """Wait for the others, then do it."""
    barrier.wait()
    return function(worker, *arguments)
