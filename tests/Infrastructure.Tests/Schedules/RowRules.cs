namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>What must be true of the rows after each change, whoever made it and whatever came between.</summary>
/// <param name="isExact">Each look follows one change, so that what was true just before it is known.</param>
internal sealed class RowRules(Simulation simulation, bool isExact)
{
    private readonly Dictionary<Guid, string> states = [];
    private readonly Dictionary<string, Guid> sessionOfKey = [];
    private readonly HashSet<long> told = [];
    private Rows before = new([], [], [], []);

    public Rows Now => before;

    public void Check(Rows now)
    {
        var sessions = now.Sessions.ToDictionary(session => session.Id);
        var past = before.Sessions.ToDictionary(session => session.Id);
        var news = now.Audit.Where(row => told.Add(row.Id)).ToList();
        foreach (var row in news) Follow(row, past, now);
        foreach (var session in now.Sessions)
        {
            var was = past.GetValueOrDefault(session.Id);
            Require(states.GetValueOrDefault(session.Id) == session.State, session.Id, $"is {session.State}, and by the audit {states.GetValueOrDefault(session.Id)}");
            Whole(session);
            if (was is not null) Later(was, session, news);
        }

        foreach (var gone in past.Keys.Where(id => !sessions.ContainsKey(id))) Require(false, gone, "is gone");
        Bindings(now, sessions);
        Limits(now, news);
        before = now;
    }

    private void Follow(AuditSeen row, Dictionary<Guid, SessionSeen> past, Rows now)
    {
        if (row.Session is not { } id) return;
        var was = past.GetValueOrDefault(id);
        var state = states.GetValueOrDefault(id);
        switch (row.Action)
        {
            case "open" or "attach":
                Require(state is null, id, "is opened twice");
                states[id] = row.Action == "open" ? "starting" : "ready";
                break;
            case "ready":
                Require(state == "starting", id, $"becomes ready and was {state}");
                states[id] = "ready";
                break;
            case "adopt":
                Require(state == "starting" && simulation.Drivers.IsOutliving, id, $"is taken over and was {state}");
                if (isExact) Require(string.CompareOrdinal(was!.Lease, simulation.StoreText(TimeSpan.Zero)) < 0, id, "is taken over before its lease has passed");
                break;
            case "ending":
                Require(state == "ready", id, $"begins its end and was {state}");
                states[id] = "ending";
                if (isExact) Due(row, was!, now);
                break;
            case "end":
                Require(state is "starting" or "ready" or "ending", id, $"ends and was {state}");
                states[id] = "ended";
                if (isExact && row.Reason == "lost" && was!.Owner is { } owner && owner != row.Replica && !simulation.Drivers.IsOutliving)
                    Require(!(string.CompareOrdinal(before.Heartbeats.GetValueOrDefault(owner), simulation.StoreText(-TimeSpan.FromSeconds(Simulation.DeadAfterSeconds))) > 0), id, "is lost while its owner lives");
                break;
        }
    }

    /// <summary>A planned end had its reason when it began.</summary>
    private void Due(AuditSeen row, SessionSeen was, Rows now)
    {
        var expiry = simulation.Settings.Expiry;
        switch (row.Reason)
        {
            case "idle":
                Require(string.CompareOrdinal(was.LastActivityAt, simulation.StoreText(-expiry.Limits.IdleTimeout)) <= 0, was.Id, "ends as idle and was used lately");
                Require(was.BusyUntil is null || string.CompareOrdinal(was.BusyUntil, simulation.StoreText(TimeSpan.Zero)) <= 0, was.Id, "ends as idle and is busy");
                break;
            case "max_ttl":
                Require(string.CompareOrdinal(was.MaxTtlAt, simulation.StoreText(TimeSpan.Zero)) <= 0, was.Id, "ends by max TTL too early");
                break;
            case "released":
                var own = now.Bindings.Where(binding => binding.Session == was.Id).ToList();
                Require(own.All(binding => binding.State != "bound"), was.Id, "ends as released and has a bound client session");
                Require(own.Any(binding => binding.ReleasedAt is not null), was.Id, "ends as released and was released by nobody");
                Require(own.All(binding => binding.ReleasedAt is null || string.CompareOrdinal(binding.ReleasedAt, simulation.StoreText(-expiry.ReleaseLinger)) <= 0), was.Id, "ends as released before its linger");
                break;
        }
    }

    private void Whole(SessionSeen session)
    {
        Require(session.State == "starting" == session.Lease is not null, session.Id, $"is {session.State} with lease {session.Lease}");
        Require(session.State is "starting" or "ended" || session.Address is not null, session.Id, "has no address");
        Require(session.State is "ending" or "ended" == session.EndReason is not null, session.Id, $"is {session.State} with reason {session.EndReason}");
    }

    private void Later(SessionSeen was, SessionSeen session, List<AuditSeen> news)
    {
        Require(string.CompareOrdinal(session.LastActivityAt, was.LastActivityAt) >= 0, was.Id, $"was used last at {was.LastActivityAt}, now at {session.LastActivityAt}");
        Require(string.CompareOrdinal(session.BusyUntil, was.BusyUntil) >= 0, was.Id, $"was busy until {was.BusyUntil}, now until {session.BusyUntil}");
        Require(was.State != "ended" || session == was with { OpenedBy = session.OpenedBy, LastActivityAt = session.LastActivityAt }, was.Id, "changes after its end");
        var mayMove = news.Any(row => row.Session == was.Id && row.Action is "extend" or "ready");
        Require(session.MaxTtlAt == was.MaxTtlAt || mayMove, was.Id, "has another max TTL and nobody extended it");
        var mayChangeHands = news.Any(row => row.Session == was.Id && row.Action == "adopt");
        Require(session.Owner == was.Owner || mayChangeHands, was.Id, "has another owner and nobody took it over");
    }

    private void Bindings(Rows now, Dictionary<Guid, SessionSeen> sessions)
    {
        foreach (var binding in now.Bindings)
        {
            Require(!sessionOfKey.TryGetValue(binding.Key, out var first) || first == binding.Session, binding.Session, "takes a client session that was another session's");
            sessionOfKey[binding.Key] = binding.Session;
            var session = sessions[binding.Session];
            Require(session.Kind == "attached" || session.OpenedBy == binding.User, session.Id, $"of {session.OpenedBy} has a client session of {binding.User}");
            Require(binding.State != "bound" || session.State != "ended" || binding.User is null, session.Id, "has ended and has a bound client session");
            Require(binding.State != "released" || binding.ReleasedAt is not null, session.Id, "has a released client session without a time");
        }

        // A placeholder of an unclaimed session has no user and no row in the audit; a claim takes its place.
        var binds = now.Audit.Where(row => row.Action == "bind").ToLookup(row => row.Session);
        var releases = now.Audit.Where(row => row.Action == "release").ToLookup(row => row.Session);
        foreach (var session in now.Sessions)
        {
            var own = now.Bindings.Where(binding => binding.Session == session.Id).ToList();
            Require(binds[session.Id].Count() == own.Count(binding => binding.User is not null), session.Id, "has another number of client sessions than the audit");
            Require(releases[session.Id].Count() == own.Count(binding => binding.ReleasedAt is not null), session.Id, "has another number of releases than the audit");
        }
    }

    private void Limits(Rows now, List<AuditSeen> news)
    {
        var live = now.Sessions.Where(session => session.Kind == "on_demand" && session.State != "ended").ToList();
        Require(live.Count <= simulation.Settings.Limits.MaxSessions, Guid.Empty, $"There are {live.Count} live sessions.");

        // What was opened before its client came counts against nobody when it is opened, and may take its user over the limit later.
        foreach (var opened in news.Where(row => row.Action == "open").Select(row => live.FirstOrDefault(session => session.Id == row.Session)))
            if (opened?.OpenedBy is { } user && !simulation.HasPrecreated)
                Require(live.Count(session => session.OpenedBy == user) <= simulation.Settings.Limits.MaxPerUser, opened.Id, $"is one too many of {user}");
    }

    private void Require(bool isTrue, Guid session, string text)
    {
        if (!isTrue) throw new InvariantException(session == Guid.Empty ? text : $"Session {simulation.NameOf(session)} {text}.");
    }
}
