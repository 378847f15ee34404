using SparkGateway.EndToEnd.Tests.Kubernetes;
using SparkGateway.Testing;

[assembly: AssemblyFixture(typeof(SharedPlane))]

namespace SparkGateway.EndToEnd.Tests.Kubernetes;

/// <summary>One control plane with operator and node for all tests that leave it as it is; it starts when it is first asked for.</summary>
public sealed class SharedPlane : IAsyncDisposable
{
    private readonly Lock gate = new();
    private Task<KubeScene>? scene;

    internal Task<KubeScene> SceneAsync()
    {
        lock (gate) return scene ??= KubeScene.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (scene is { IsCompletedSuccessfully: true }) await (await scene).DisposeAsync();
    }
}
