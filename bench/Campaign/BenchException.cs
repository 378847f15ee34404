namespace SparkGateway.Campaign;

/// <summary>The campaign cannot go on; the text says why and what to do.</summary>
internal sealed class BenchException(string message) : Exception(message);
