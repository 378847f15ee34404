using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Routing;

public static class RoutingServices
{
    public static IServiceCollection AddRouteTable(this IServiceCollection services) => services.AddSingleton<IRouteTable, RouteTable>();
}
