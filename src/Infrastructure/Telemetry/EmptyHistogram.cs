namespace SparkGateway.Infrastructure.Telemetry;

/// <summary>A histogram as /metrics shows it before its first observation.</summary>
/// <param name="Labels">NAME="VALUE", separated by commas.</param>
public sealed record EmptyHistogram(string Name, string Help, string Labels, IReadOnlyList<double> Bounds);
