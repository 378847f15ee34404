namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>Tests of several gateways, or of a whole cluster: dozens of processes, with limits of seconds. Whatever ran beside them would be starved, or starve them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
