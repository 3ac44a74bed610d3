"""``python -m benchmarks.resample RECORDING… HOME --models N``: fill a home with a made-up Hub."""

from benchmarks.resample.hub import main

if __name__ == "__main__":
    main()
