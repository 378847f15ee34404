using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>On this machine.</summary>
public sealed class LocalTests(LocalLife platform) : LifeCycleTests(platform), IClassFixture<LocalLife>;

/// <summary>On a cluster.</summary>
[Collection(nameof(Alone))]
public sealed class KubernetesTests(KubernetesLife platform) : LifeCycleTests(platform), IClassFixture<KubernetesLife>;
