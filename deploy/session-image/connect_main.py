"""Holds a Spark session open, and with it Spark Connect's port, until the driver is told to end.

The main program of a session's driver where the operator runs spark-submit in cluster mode, which refuses Spark's own
server class. The plugin opens the port when the session starts, and it stays open for as long as this program runs.
The gateway sets the plugin, the port and all other settings; run by hand, Spark's defaults hold:

    spark-submit connect_main.py
"""
import os
import signal
import sys
import threading

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

PLUGINS = "spark.plugins"
CONNECT = "org.apache.spark.sql.connect.SparkConnectPlugin"
LOOK_SECONDS = 1


def with_connect(plugins):
    """The comma list with the Connect plugin in it; other plugins stay."""
    named = [plugin.strip() for plugin in plugins.split(",") if plugin.strip()]
    return ",".join(named if CONNECT in named else [CONNECT, *named])


def main():
    ending = threading.Event()
    # Python waits in the event, so that a signal is acted on at once.
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    signal.signal(signal.SIGINT, lambda *_: ending.set())

    # spark-submit is this program's parent; when it is gone, whoever ended it, there is no driver any more.
    parent = os.getppid()
    # Only a SparkConf that is made after this knows what spark-submit was given.
    SparkContext._ensure_initialized()
    spark = SparkSession.builder.config(PLUGINS, with_connect(SparkConf().get(PLUGINS, ""))).getOrCreate()
    context = spark.sparkContext
    port = context.getConf().get("spark.connect.grpc.binding.port", "15002")
    print(f"Spark {spark.version} serves Spark Connect on port {port}", flush=True)

    while not ending.wait(LOOK_SECONDS):
        if os.getppid() != parent:
            return 0
        if context._jsc.sc().isStopped():
            print("The Spark context has ended by itself.", file=sys.stderr, flush=True)
            return 1

    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
