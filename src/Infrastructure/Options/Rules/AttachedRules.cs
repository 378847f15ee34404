using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Attached sessions are complete, and each name in a namespace leads to one driver.</summary>
internal static class AttachedRules
{
    public static void Check(RuleContext context)
    {
        var attached = context.Options.SparkConnect.Attached;
        var firstOf = new Dictionary<SessionName, int>();
        for (var i = 0; i < attached.Count; i++)
        {
            var item = attached[i];
            var key = $"spark_connect.attached[{i}]";
            RequireField(context, $"{key}.name", item.Name);
            RequireField(context, $"{key}.namespace", item.Namespace);
            RequireField(context, $"{key}.address", item.Address);
            if (item.Name.Length == 0 || item.Namespace.Length == 0) continue;
            var name = new SessionName(item.Namespace, item.Name);
            if (!firstOf.TryAdd(name, i))
                context.Refuse($"{key}.name", $"'{name}' is already spark_connect.attached[{firstOf[name]}]; give one of them another name or namespace.");
        }
    }

    /// <summary>A value of its own that is not allowed was reported where it was read, and is empty now: one problem is enough.</summary>
    private static void RequireField(RuleContext context, string key, string value)
    {
        if (value.Length == 0 && !context.Problems.Exists(problem => problem.Key == key))
            context.Refuse(key, "is missing; an attached session has a name, a namespace and an address.");
    }
}
