using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>The control plane, as the relay's loops see it. Its tasks never fail: what goes wrong is in their results.</summary>
internal interface IRelayControl
{
    Task<Result<Admission>> AdmitAsync(RouteRequest request, ConnectionContext connection, CancellationToken cancellation);

    Task<Result<LiveBinding>> BindCloneAsync(LiveBinding parent, string newClientSessionId, Caller caller);

    Task ReleasedAsync(LiveBinding binding, Caller caller);

    Task DeniedAsync(GatewayError error, int count, Caller caller);

    /// <summary>Called on the loop for each call: counts, and returns at once.</summary>
    void CallEnded(in CallOutcome outcome);
}

/// <summary>What every loop needs: clock, log, sockets, and the way to the control plane.</summary>
internal sealed class RelayHostServices(RelayOptions options, IRelayControl control, DriverDoubts doubts, TimeProvider time, ILogger logger)
{
    private const int TcpLevel = 6;

    /// <summary>TCP_NOTSENT_LOWAT of Linux: a socket with so much unsent takes no more. Unlike a small send buffer it leaves room for what is underway.</summary>
    private const int UnsentLimit = 25;

    private readonly int unsentBytes = options.MaxUnsentBytes;
    private readonly long started = time.GetTimestamp();

    public IRelayControl Control { get; } = control;

    public DriverDoubts Doubts { get; } = doubts;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public LimitLog Limits { get; } = new(logger, time);

    public int ConnectSeconds { get; } = options.DriverConnectSeconds;

    public int SlowPeerSeconds { get; } = options.SlowPeerSeconds;

    public long NowMs() => (long)Time.GetElapsedTime(started).TotalMilliseconds;

    /// <summary>Small frames go out at once; a peer that vanished is noticed; nothing blocks; the kernel holds little for a peer that reads slowly.</summary>
    public void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.Blocking = false;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, options.KeepaliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, options.KeepaliveSeconds / 4));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(TcpLevel, UnsentLimit, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in unsentBytes)));
    }
}
