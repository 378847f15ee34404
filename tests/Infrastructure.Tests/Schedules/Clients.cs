using System.Globalization;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.BindClone;
using SparkGateway.Features.CloseSession;
using SparkGateway.Features.ExtendSession;
using SparkGateway.Features.Ports;
using SparkGateway.Features.PrecreateSession;
using SparkGateway.Features.RelayStream;
using SparkGateway.Features.ReleaseSession;
using SparkGateway.Features.SyncAttached;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>Who uses the gateway, and what each must and must not see of it.</summary>
internal sealed class Clients(Simulation simulation)
{
    private static readonly Caller Operator = new("ops", "10.2.2.2:1", "test");

    private static readonly AttachedDriver[][] Lists =
    [
        [],
        [new AttachedDriver(new SessionName("byod", "app"), "10.9.9.1:15002", null)],
        [new AttachedDriver(new SessionName("byod", "app"), "10.9.9.2:15002", null)],
    ];

    private readonly List<ClientSessionKey> keys = [.. Enumerable.Range(1, 4).Select(number => Key(number % 2 == 0 ? "ann" : "bob", number))];
    private readonly Dictionary<string, string> names = [];
    private readonly Dictionary<(ClientSessionKey Key, SimReplica Replica), LiveBinding> live = [];
    private readonly List<OpenCall> calls = [];
    private readonly List<(string Name, SimReplica Replica, Task Task)> pending = [];
    private int clones = 100;

    public string NameOf(ClientSessionKey key)
    {
        if (!names.TryGetValue(key.ClientSessionId, out var name)) names[key.ClientSessionId] = name = string.Create(CultureInfo.InvariantCulture, $"c{names.Count + 1}");
        return $"{key.UserId}/{name}";
    }

    public void Do(Operation operation)
    {
        var running = simulation.Running.ToList();
        if (running.Count == 0) return;
        var replica = running[operation.Where % running.Count];
        var key = keys[operation.Which % keys.Count];
        var session = simulation.Rows.Sessions is { Count: > 0 } rows ? rows[operation.Which % rows.Count].Id : Guid.Empty;
        var link = live.Where(entry => entry.Key.Replica.Runs).Select(entry => entry.Value).ElementAtOrDefault(operation.Which % Math.Max(1, live.Count));
        var at = link is null ? replica : live.First(entry => entry.Value == link).Key.Replica;
        switch (operation.Act)
        {
            case Act.Call:
                Begin(operation, replica, CallAsync(replica, key, RouteHints.None));
                break;
            case Act.CallByName when simulation.Rows.Sessions.Count > 0:
                Begin(operation, replica, CallByNameAsync(replica, key, session));
                break;
            case Act.Hang when link is { Route.ClosedBy: null }:
                calls.Add(new OpenCall(link.Route, at));
                break;
            case Act.HangUp when calls.Count > 0:
                HangUp(calls[operation.Which % calls.Count], isBroken: operation.Amount % 2 == 0);
                break;
            case Act.Release when link is { Route.ClosedBy: null }:
                Begin(operation, at, at.SendAsync(new ReleaseSession.Request(link, new Caller(link.Key.UserId, "", "test"))));
                break;
            case Act.Clone when link is { Route.ClosedBy: null, IsReleased: false }:
                Begin(operation, at, CloneAsync(at, link));
                break;
            case Act.Precreate:
                simulation.HasPrecreated = true;
                Begin(operation, replica, PrecreateAsync(replica, operation.Amount % 2 == 0 ? "ann" : "bob"));
                break;
            case Act.Extend when session != Guid.Empty:
                Begin(operation, replica, replica.SendAsync(new ExtendSession.Request(SessionRef.To(session), 1 + operation.Amount % 10, Operator)));
                break;
            case Act.Close when session != Guid.Empty:
                Begin(operation, replica, replica.SendAsync(new CloseSession.Request(SessionRef.To(session), "", Operator)));
                break;
            case Act.Attach:
                Begin(operation, replica, replica.SendAsync(new SyncAttached.Request(Lists[operation.Amount % Lists.Length])));
                break;
        }
    }

    public void Forget(SimReplica replica)
    {
        foreach (var key in live.Keys.Where(entry => entry.Replica == replica).ToList()) live.Remove(key);
        calls.RemoveAll(call => call.Replica == replica);
        pending.RemoveAll(entry => entry.Replica == replica);
    }

    public void HangUpAll()
    {
        foreach (var call in calls.ToList()) HangUp(call, isBroken: false);
    }

    public void Verify()
    {
        foreach (var (name, _, task) in pending)
            if (task.IsFaulted) throw task.Exception!.InnerException as InvariantException ?? new InvariantException($"{name} failed: {task.Exception.InnerException}");
        pending.RemoveAll(entry => entry.Task.IsCompleted);
    }

    public IEnumerable<string> Unrest() => pending.Select(entry => $"{entry.Name} has no answer.");

    private static ClientSessionKey Key(string user, int number) => new(user, string.Create(CultureInfo.InvariantCulture, $"{number:x8}-0000-4000-8000-000000000000"));

    private void Begin(Operation operation, SimReplica replica, Task task) => pending.Add(($"{operation} on {replica.Name}", replica, task));

    private async Task CallAsync(SimReplica replica, ClientSessionKey key, RouteHints headers)
    {
        var admission = await replica.AdmitAsync(key, headers, SparkRpc.ExecutePlan);
        if (admission.Error is { } error)
        {
            if (error.Code == ErrorCode.Internal) throw new InvariantException($"{NameOf(key)} reads of a bug: {error.Text}");
            return;
        }

        if (admission.Value is not Admission.Forward forward) throw new InvariantException($"{NameOf(key)} gets the answer {admission.Value}.");
        Right(key, forward.Binding);
        live[(key, replica)] = forward.Binding;
    }

    private Task CallByNameAsync(SimReplica replica, ClientSessionKey key, Guid id)
    {
        var session = simulation.Names.GetValueOrDefault(id);
        return session == default ? Task.CompletedTask : CallAsync(replica, key, new RouteHints(session.Name, session.Namespace, null, null));
    }

    /// <summary>The driver is of the session that the store binds this client session to, and the session is this user's or anybody's.</summary>
    private void Right(ClientSessionKey key, LiveBinding binding)
    {
        var session = binding.Route.Session;
        simulation.Names[session.Id] = session.Name;
        if (binding.Key != key) throw new InvariantException($"{NameOf(key)} gets the binding of {NameOf(binding.Key)}.");
        if (session.OpenedBy is { } opener && opener != key.UserId) throw new InvariantException($"{NameOf(key)} is sent to a session of {session.OpenedBy}.");
        if (session.Kind == SessionKind.OnDemand && simulation.Drivers.Drivers.All(driver => driver.Session != session.Id || driver.Address != binding.Route.Address))
            throw new InvariantException($"{NameOf(key)} is sent to {binding.Route.Address}, which was never a driver of {simulation.NameOf(session.Id)}.");
        if (simulation.Scheduler.IsOutside) return;
        simulation.Check();
        var hash = Convert.ToHexString(key.Hash());
        var bound = simulation.Rows.Bindings.FirstOrDefault(row => row.Key.Equals(hash, StringComparison.OrdinalIgnoreCase));
        if (bound?.Session != session.Id) throw new InvariantException($"{NameOf(key)} is sent to {simulation.NameOf(session.Id)} and is not bound to it.");
    }

    private async Task CloneAsync(SimReplica replica, LiveBinding parent)
    {
        var key = Key(parent.Key.UserId, ++clones);
        var cloned = await replica.SendAsync(new BindClone.Request(parent, key.ClientSessionId, new Caller(key.UserId, "", "test")));
        if (!cloned.IsOk) return;
        Right(key, cloned.Value);
        keys.Add(key);
        live[(key, replica)] = cloned.Value;
    }

    private async Task PrecreateAsync(SimReplica replica, string user)
    {
        var opened = await replica.SendAsync(new PrecreateSession.Request(null, null, Operator));
        if (opened.IsOk) keys.Add(new ClientSessionKey(user, opened.Value.ClientSessionId));
    }

    private void HangUp(OpenCall call, bool isBroken)
    {
        calls.Remove(call);
        call.End(isBroken);
    }

    /// <summary>A call on its way, which ends when its route closes.</summary>
    private sealed class OpenCall
    {
        private bool isOver;

        public OpenCall(Route route, SimReplica replica)
        {
            (Route, Replica) = (route, replica);
            route.CallOpened();
            route.OnClosed(_ => End(isBroken: true));
        }

        public Route Route { get; }

        public SimReplica Replica { get; }

        public void End(bool isBroken)
        {
            if (isOver) return;
            isOver = true;
            Route.CallEnded(isBroken);
        }
    }
}
