using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The store's clock inside a query. Replicas may disagree about the time; the store does not disagree with itself.</summary>
internal static class StoreClock
{
    private static readonly MethodInfo NowMethod = typeof(StoreClock).GetMethod(nameof(Now))!;
    private static readonly MethodInfo AgoMethod = typeof(StoreClock).GetMethod(nameof(SecondsAgo))!;
    private static readonly MethodInfo FromNowMethod = typeof(StoreClock).GetMethod(nameof(SecondsFromNow))!;
    private static readonly MethodInfo LaterMethod = typeof(StoreClock).GetMethod(nameof(Later))!;

    public static DateTime Now() => throw new InvalidOperationException("Only for queries.");

    public static DateTime SecondsAgo(int seconds) => throw new InvalidOperationException($"Only for queries ({seconds}).");

    public static DateTime SecondsFromNow(int seconds) => throw new InvalidOperationException($"Only for queries ({seconds}).");

    public static DateTime Later(DateTime time, int seconds) => throw new InvalidOperationException($"Only for queries ({time}, {seconds}).");

    public static void Map(ModelBuilder model, bool isSqlite)
    {
        model.HasDbFunction(NowMethod).HasTranslation(_ => isSqlite ? SqliteTime(Text("now")) : PostgresNow());
        model.HasDbFunction(AgoMethod).HasTranslation(arguments => Shifted(arguments[0], isSqlite, "-%d seconds", ExpressionType.Subtract));
        model.HasDbFunction(FromNowMethod).HasTranslation(arguments => Shifted(arguments[0], isSqlite, "+%d seconds", ExpressionType.Add));
        model.HasDbFunction(LaterMethod).HasTranslation(arguments => isSqlite
            ? SqliteTime(arguments[0], Modifier("+%d seconds", arguments[1]))
            : new SqlBinaryExpression(ExpressionType.Add, arguments[0], Seconds(arguments[1]), typeof(DateTime), null));
    }

    private static SqlExpression Shifted(SqlExpression seconds, bool isSqlite, string sqliteModifier, ExpressionType operation) => isSqlite
        ? SqliteTime(Text("now"), Modifier(sqliteModifier, seconds))
        : new SqlBinaryExpression(operation, PostgresNow(), Seconds(seconds), typeof(DateTime), null);

    /// <summary>The form of the column defaults, so that texts compare as times.</summary>
    private static SqlFunctionExpression SqliteTime(SqlExpression time, params SqlExpression[] modifiers) =>
        Call("strftime", typeof(DateTime), null, [Text("%Y-%m-%dT%H:%M:%fZ"), time, .. modifiers]);

    private static SqlFunctionExpression Modifier(string form, SqlExpression seconds) => Call("printf", typeof(string), StringTypeMapping.Default, Text(form), seconds);

    private static SqlFunctionExpression PostgresNow() => Call("now", typeof(DateTime), null);

    private static SqlBinaryExpression Seconds(SqlExpression count) =>
        new(ExpressionType.Multiply, count, new SqlFragmentExpression("INTERVAL '1 second'", typeof(TimeSpan)), typeof(TimeSpan), null);

    private static SqlFunctionExpression Call(string name, Type type, RelationalTypeMapping? mapping, params SqlExpression[] arguments) =>
        new(name, arguments, nullable: false, arguments.Select(_ => false), type, mapping);

    private static SqlConstantExpression Text(string value) => new(value, StringTypeMapping.Default);
}
