namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Who may open on-demand sessions: pairs of team and environment, complete and without contradiction.</summary>
internal static class TeamRules
{
    private const string Section = "spark_connect.on_demand.";

    public static void Check(RuleContext context)
    {
        var onDemand = context.Options.SparkConnect.OnDemand;
        CheckList(context, onDemand);
        CheckDefaults(context, onDemand);
        foreach (var (authority, pair) in context.Options.SparkConnect.Authorities)
        {
            var key = $"spark_connect.authorities[{authority}]";
            if (IsComplete(context, key, pair)) CheckAllowed(context, key, onDemand, pair.Team, pair.Environment);
        }

        foreach (var (name, _) in onDemand.SparkConf) CheckSparkConf(context, name);
    }

    private static void CheckList(RuleContext context, OnDemandOptions onDemand)
    {
        const string teams = Section + "teams";
        if (onDemand.AnyTeam && onDemand.Teams.Count > 0)
            context.Refuse(teams, $"{Section}any_team is true, so this list would restrict nobody; set any_team to false, or remove the list.");
        if (onDemand.Enabled && !onDemand.AnyTeam && onDemand.Teams.Count == 0)
            context.Warn(teams, "the list is empty and any_team is false: nobody can open an on-demand session. List the pairs that may, or set on_demand.enabled to false.");
        var seen = new HashSet<(string, string)>();
        for (var i = 0; i < onDemand.Teams.Count; i++)
        {
            var pair = onDemand.Teams[i];
            if (IsComplete(context, $"{teams}[{i}]", pair) && !seen.Add((pair.Team, pair.Environment)))
                context.Refuse($"{teams}[{i}]", $"team {pair.Team}, environment {pair.Environment} is listed twice; keep one.");
        }
    }

    private static void CheckDefaults(RuleContext context, OnDemandOptions onDemand)
    {
        const string team = Section + "default_team";
        const string environment = Section + "default_environment";
        if (onDemand.DefaultTeam.Length > 0 && onDemand.DefaultEnvironment.Length == 0) context.Refuse(team, $"a default team needs a default environment; set {environment} too.");
        else if (onDemand.DefaultTeam.Length == 0 && onDemand.DefaultEnvironment.Length > 0) context.Refuse(environment, $"a default environment needs a default team; set {team} too.");
        else if (onDemand.DefaultTeam.Length > 0) CheckAllowed(context, team, onDemand, onDemand.DefaultTeam, onDemand.DefaultEnvironment);
    }

    private static void CheckAllowed(RuleContext context, string key, OnDemandOptions onDemand, string team, string environment)
    {
        if (onDemand.AnyTeam || onDemand.Teams.Exists(pair => pair.Team == team && pair.Environment == environment)) return;
        context.Refuse(key, $"team {team}, environment {environment} is not in {Section}teams, so every session would be refused; list it there.");
    }

    private static bool IsComplete(RuleContext context, string key, TeamRefOptions pair)
    {
        if (pair.Team.Length > 0 && pair.Environment.Length > 0) return true;
        if (!context.Problems.Exists(problem => problem.Key.StartsWith(key + ".", StringComparison.Ordinal)))
            context.Refuse(key, "needs both team and environment.");
        return false;
    }

    private static void CheckSparkConf(RuleContext context, string name)
    {
        var key = $"{Section}spark_conf[{name}]";
        if (!name.StartsWith("spark.", StringComparison.Ordinal)) context.Refuse(key, "Spark ignores a setting whose name does not begin with 'spark.'; correct the name.");
        else if (name is "spark.connect.authenticate.token" or "spark.connect.grpc.binding.port" or "spark.connect.grpc.binding.address")
            context.Refuse(key, "the gateway sets this for each driver itself; remove it.");
    }
}
