using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;
using SparkGateway.Testing;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>One plane, whose API server some of these tests restart: they run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class KubeApiPlane : ICollectionFixture<NodePlane>
{
    public const string Name = "A Kubernetes API server";
}

/// <summary>With a node, so that pods write logs; without an operator, so that nobody else touches applications.</summary>
public sealed class NodePlane() : KubePlaneFixture("--crds", "kubeflow", "--node")
{
    /// <summary>A namespace of its own for a test.</summary>
    public static async Task<string> NewNamespaceAsync(KubePlane plane)
    {
        var name = $"t-{Guid.NewGuid():N}"[..20];
        await plane.KubectlAsync("", "create", "namespace", name);
        return name;
    }
}

/// <summary>The client as the gateway composes it.</summary>
internal sealed class KubeHarness : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public KubeHarness(Action<GatewayOptions> configure, AccessEnvironment? environment = null, TimeProvider? time = null)
    {
        var options = new GatewayOptions { Platform = "kubernetes" };
        options.Kubernetes.RequestsPerSecond = 1_000;
        options.Kubernetes.RequestBurst = 1_000;
        configure(options);
        services = new ServiceCollection()
            .AddSingleton(options)
            .AddSingleton(environment ?? new AccessEnvironment(_ => null, "/nonexistent"))
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton(Logs.Factory)
            .AddSingleton(typeof(ILogger<>), typeof(Logger<>))
            .AddKubernetesApi()
            .BuildServiceProvider();
    }

    public LogLines Logs { get; } = new();

    public IKubeApi Api => services.GetRequiredService<IKubeApi>();

    public static KubeHarness For(string kubeconfig, Action<KubernetesOptions>? configure = null) => new(options =>
    {
        options.Kubernetes.Kubeconfig = kubeconfig;
        configure?.Invoke(options.Kubernetes);
    });

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
