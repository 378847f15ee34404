using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>The loop of one client connection: its sockets, and what its state machines ask of the world.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Disposed on the loop when the client's socket is gone: nobody else may touch it.")]
internal sealed partial class ConnectionHost : SerialLoop, IRelayEffects
{
    private readonly RelayHostServices services;
    private readonly ClientConnection client;
    private readonly Endpoint clientEndpoint;
    private readonly Dictionary<DriverConnection, DriverLink> drivers = [];
    private readonly Action<ConnectionHost> ended;
    private readonly string name;
    private long nextDeadline = long.MaxValue;
    private bool isEnded;
    private uint batches;
    private LatencySample sample;
    private long upBytes;
    private long downBytes;
    private long upBytesBefore;

    /// <param name="namesUsers">Its socket's peer is trusted to say who the user is.</param>
    public ConnectionHost(RelayHostServices services, RelayShared shared, Link link, ClientPeer peer, bool namesUsers, Action<ConnectionHost> ended)
    {
        this.services = services;
        this.ended = ended;
        name = peer.ToString();
        client = new ClientConnection(shared, this, name, services.NowMs(), namesUsers);
        clientEndpoint = new Endpoint(this, client, link, ClientLost);
    }

    /// <summary>Milliseconds of the relay's clock; read by the ticker on its own thread.</summary>
    public long NextDeadline => Volatile.Read(ref nextDeadline);

    /// <summary>How much has happened here: it only has to change. Read by the ticker on its own thread.</summary>
    public uint Batches => Volatile.Read(ref batches);

    /// <summary>Bytes that its drivers' sockets have taken. Read by others on their own threads.</summary>
    public long UpBytes => Volatile.Read(ref upBytes);

    /// <summary>Bytes that the client's socket has taken. Read by others on their own threads.</summary>
    public long DownBytes => Volatile.Read(ref downBytes);

    public void Start() => Post(new Event(clientEndpoint.Start));

    public void Tick()
    {
        Volatile.Write(ref nextDeadline, long.MaxValue);
        Post(new Event(client.Tick));
    }

    public void BeginShutdown() => Post(new Event(client.BeginShutdown));

    public void FinishShutdown() => Post(new Event(client.FinishShutdown));

    /// <summary>Ends the connection at once, whatever it is at.</summary>
    public void Abort() => Post(new Event(() => clientEndpoint.Close("the gateway stopped")));

    void IRelayEffects.Connect(DriverConnection driver)
    {
        var link = new DriverLink(driver);
        drivers.Add(driver, link);
        link.Watch = driver.Route.OnClosed(_ => Post(new Event(() => client.RouteClosed(driver.Route))));
        _ = DialAsync(link);
    }

    void IRelayEffects.CloseDriver(DriverConnection driver)
    {
        if (!drivers.TryGetValue(driver, out var link)) return;
        if (link.Endpoint is { } endpoint) CloseInTime(endpoint);
        else RemoveDriver(link, "closed");
    }

    void IRelayEffects.CloseClient() => CloseInTime(clientEndpoint);

    void IRelayEffects.PeerMisbehaved(CallSide side, string reason) =>
        services.Limits.Hit(side, reason, side == CallSide.Driver ? $"a driver of {name}" : name);

    void IRelayEffects.Admit(ParkedGroup group, RouteRequest request)
    {
        var deciding = new CancellationTokenSource();
        group.Deciding = deciding;
        _ = AdmitAsync(group, request, deciding, group.Calls[0].Call.Span);
    }

    void IRelayEffects.CancelAdmission(ParkedGroup group) => _ = (group.Deciding as CancellationTokenSource)?.CancelAsync();

    void IRelayEffects.BindClone(RelayedCall call, LiveBinding parent, string newClientSessionId) =>
        _ = BindCloneAsync(call, parent, newClientSessionId, call.Headers.UserAgent);

    void IRelayEffects.Released(LiveBinding binding, string userAgent) =>
        _ = services.Control.ReleasedAsync(binding, new Domain.Sessions.Caller(binding.Key.UserId, name, userAgent));

    void IRelayEffects.Denied(GatewayError error, int count, Domain.Sessions.Caller caller) => _ = services.Control.DeniedAsync(error, count, caller);

    void IRelayEffects.CallEnded(in CallOutcome outcome) => services.Control.CallEnded(outcome);

    protected override void BeforeBatch()
    {
        client.Now = services.NowMs();
        batches++;
        sample.Begin(client);
    }

    protected override void AfterBatch()
    {
        if (isEnded) return;

        // What one socket takes frees credit that another is waiting for: go on until nothing moves.
        var moved = true;
        while (moved && !isEnded)
        {
            client.Settle();
            moved = clientEndpoint.HasOutput;
            clientEndpoint.Flush();
            foreach (var link in drivers.Values)
            {
                if (link.Endpoint is not { HasOutput: true } endpoint) continue;
                moved = true;
                endpoint.Flush();
            }
        }

        sample.Follow(client);
        CountBytes();
        Volatile.Write(ref nextDeadline, client.NextDeadline());
    }

    protected override void Failed(Exception bug)
    {
        Bug(services.Logger, bug, name);
        clientEndpoint.Close("a fault of the gateway");
    }

    private void CountBytes()
    {
        var up = upBytesBefore;
        foreach (var link in drivers.Values) up += link.Endpoint?.SentBytes ?? 0;
        Volatile.Write(ref upBytes, up);
        Volatile.Write(ref downBytes, clientEndpoint.SentBytes);
    }

    private void ClientLost(string why)
    {
        if (isEnded) return;
        CountBytes();
        client.ClientGone();
        isEnded = true;
        Volatile.Write(ref nextDeadline, long.MaxValue);
        client.Dispose();
        ended(this);
    }

    private async Task DialAsync(DriverLink link)
    {
        if (!await services.Doubts.StandsAsync(link.Driver.Route))
        {
            Post(new Event(() => Dialled(link, null, "it is gone")));
            return;
        }

        Socket? socket = null;
        string? failure = null;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(services.ConnectSeconds), services.Time);
        try
        {
            var (host, port) = SplitAddress(link.Driver.Route.Address);
            if (IPAddress.TryParse(host, out var address))
            {
                socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(address, port, limit.Token);
            }
            else
            {
                socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(host, port, limit.Token);
            }

            services.Tune(socket);
        }
        catch (OperationCanceledException)
        {
            failure = $"no answer within {services.ConnectSeconds} s";
        }
        catch (SocketException e)
        {
            failure = e.SocketErrorCode.ToString();
        }

        Post(new Event(() => Dialled(link, socket, failure)));
    }

    private void Dialled(DriverLink link, Socket? socket, string? failure)
    {
        if (failure is not null || !drivers.ContainsKey(link.Driver))
        {
            socket?.Dispose();
            if (drivers.ContainsKey(link.Driver)) RemoveDriver(link, failure!);
            return;
        }

        link.Endpoint = new Endpoint(this, link.Driver, new SocketLink(socket!), why => RemoveDriver(link, why));
        link.Endpoint.Start();
        if (link.Driver.IsGone) CloseInTime(link.Endpoint);
    }

    /// <summary>A peer that does not take its last bytes would hold its socket for ever.</summary>
    private void CloseInTime(Endpoint endpoint)
    {
        endpoint.CloseWhenSent();
        if (!endpoint.IsClosed) _ = CloseLaterAsync(endpoint);
    }

    private async Task CloseLaterAsync(Endpoint endpoint)
    {
        await Task.Delay(TimeSpan.FromSeconds(services.SlowPeerSeconds), services.Time);
        Post(new Event(() => endpoint.Close("it did not take its last bytes")));
    }

    private void RemoveDriver(DriverLink link, string why)
    {
        if (!drivers.Remove(link.Driver)) return;
        link.Watch?.Dispose();

        // Neither by us nor in order.
        if (!link.Driver.IsGone) link.Driver.Route.ConnectionBroke();
        upBytesBefore += link.Endpoint?.SentBytes ?? 0;
        sample.Forget(link.Driver.Output);
        link.Driver.Lost(why);
        link.Driver.Dispose();
    }

    private async Task AdmitAsync(ParkedGroup group, RouteRequest request, CancellationTokenSource deciding, Activity? span)
    {
        // Off the loop: the store and the platform may take their time. The span is current in here only.
        await Task.Yield();
        if (span is not null) Activity.Current = span;
        var answer = await services.Control.AdmitAsync(request, client.Context, deciding.Token);
        Post(new Event(() =>
        {
            var isCurrent = ReferenceEquals(group.Deciding, deciding);
            deciding.Dispose();
            if (isCurrent && !isEnded) client.Admitted(group, answer);
        }));
    }

    private async Task BindCloneAsync(RelayedCall call, LiveBinding parent, string newId, string userAgent)
    {
        await Task.Yield();
        var bound = await services.Control.BindCloneAsync(parent, newId, new Domain.Sessions.Caller(parent.Key.UserId, name, userAgent));
        Post(new Event(() =>
        {
            if (!isEnded) client.CloneBound(call, bound.Error);
        }));
    }

    /// <summary>host:port, and [v6]:port.</summary>
    private static (string Host, int Port) SplitAddress(string address)
    {
        var colon = address.LastIndexOf(':');
        return (address[..colon].Trim('[', ']'), int.Parse(address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture));
    }

    [LoggerMessage(2001, LogLevel.Error, "A connection from {Peer} ended by a fault of the gateway")]
    private static partial void Bug(ILogger logger, Exception bug, string peer);

    private sealed class DriverLink(DriverConnection driver)
    {
        public DriverConnection Driver { get; } = driver;

        public Endpoint? Endpoint { get; set; }

        public IDisposable? Watch { get; set; }
    }

    private sealed class Event(Action run) : LoopItem
    {
        public override void Run() => run();
    }
}
