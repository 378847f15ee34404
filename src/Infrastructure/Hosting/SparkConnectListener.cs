using System.Net.Sockets;

namespace SparkGateway.Infrastructure.Hosting;

/// <summary>The listening socket of spark_connect.port, open before anything else starts; whoever accepts from it disposes of it.</summary>
public sealed record SparkConnectListener(Socket Socket);
