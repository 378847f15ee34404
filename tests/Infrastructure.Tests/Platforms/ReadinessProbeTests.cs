using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Platforms;

namespace SparkGateway.Infrastructure.Tests.Platforms;

/// <summary>What is not ready; that real servers are, the platform's tests show.</summary>
public class ReadinessProbeTests
{
    [Fact]
    public async Task Answers_NobodyListens_IsFalse()
    {
        using var listener = Listen(out var port);
        listener.Stop();
        using var probe = new ReadinessProbe($"127.0.0.1:{port}", TimeProvider.System);

        Assert.False(await probe.AnswersAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Answers_ServerOfHttp1_IsFalse()
    {
        using var listener = Listen(out var port);
        using var probe = new ReadinessProbe($"127.0.0.1:{port}", TimeProvider.System);
        var answer = probe.AnswersAsync(CancellationToken.None);
        using var socket = await listener.AcceptSocketAsync();
        await socket.SendAsync("HTTP/1.1 200 OK\r\ngrpc-status: 12\r\nContent-Length: 0\r\n\r\n"u8.ToArray());

        Assert.False(await answer);
    }

    [Fact]
    public async Task Answers_SilentServer_IsFalseAfterHalfASecond()
    {
        using var listener = Listen(out var port);
        var time = new FakeTimeProvider();
        using var probe = new ReadinessProbe($"127.0.0.1:{port}", time);
        var answer = probe.AnswersAsync(CancellationToken.None);
        using var socket = await listener.AcceptSocketAsync();

        time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.False(await answer.WaitAsync(LocalHarness.Patience));
    }

    [Fact]
    public async Task Answers_Cancelled_Throws()
    {
        using var listener = Listen(out var port);
        using var probe = new ReadinessProbe($"127.0.0.1:{port}", TimeProvider.System);
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe.AnswersAsync(cancellation.Token));
    }

    private static TcpListener Listen(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }
}
